import { KubeConfig } from '@kubernetes/client-node';

/**
 * How to find the cluster: the given file, else as kubectl and in-cluster clients do (`KUBECONFIG`,
 * `~/.kube/config`, the service account of the pod). A function, because it is read again when refused.
 */
export const kubeConfigFrom = (file: string | undefined) => (): KubeConfig => {
  const config = new KubeConfig();
  if (file === undefined) config.loadFromDefault();
  else config.loadFromFile(file);
  return config;
};
