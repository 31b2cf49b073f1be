# What a generated hardware-configuration.nix imports; there is no firmware to enable here.
{ }
