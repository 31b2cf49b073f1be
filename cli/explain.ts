import { KubeError } from '../controllers/lib/kube/kube-error.ts';
import { CliError } from './command.ts';

/** What went wrong, for people; with a stack where it is a bug. */
export function explain(error: unknown): string {
  if (error instanceof KubeError) return explainKube(error);
  if (error instanceof CliError) return error.message;
  if (!(error instanceof Error)) return String(error);
  // Errors of the system and of our own libraries say what happened; a TypeError and its like say where we are wrong.
  const isBug = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isBug ? `this is a bug in Firn: ${error.stack}` : error.message;
}

function explainKube(error: KubeError): string {
  switch (error.status) {
    case 0:
      return `the cluster does not answer (${error.message}); is it running, and is this the right kubeconfig?`;
    case 401:
      return `the cluster does not accept the kubeconfig's credentials (${error.message})`;
    case 403:
      return `the kubeconfig's user may not do that (${error.message}); ask for the verb on this resource`;
    default:
      return error.message;
  }
}
