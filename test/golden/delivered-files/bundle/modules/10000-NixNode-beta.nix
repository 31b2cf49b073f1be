# Text that must be carried as it is: "${x}" '' \ and	a tab.
{ users.users.app = { isSystemUser = true; group = "app"; }; users.groups.app = { }; }
