/** What the virtual machine of the mesh has besides Firn's modules: nothing but what the operator would say. */
export const meshModule = `{
  firn.mesh.enable = true;
  firn.mesh.implementation = "kernel";
}
`;
