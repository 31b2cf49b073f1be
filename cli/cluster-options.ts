/** Options of every command that talks to a cluster, as kubectl names them. */
export const clusterOptions = {
  kubeconfig: { value: 'FILE', help: 'kubeconfig of the cluster; default: what kubectl would use' },
  context: { value: 'NAME', help: 'context of the kubeconfig' },
  namespace: { value: 'NAME', short: 'n', help: "namespace; default: that of the kubeconfig's context" },
} as const;
