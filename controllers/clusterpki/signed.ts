import { ReconcileError } from '../lib/core/outcome.ts';
import { PkiError } from '../lib/pki/pki-error.ts';

/** What is signed by an authority of a ClusterPKI. Throws `waiting` (`CertificateNotMade`) where that cannot be, as when it has ended. */
export async function signed<Made>(making: Promise<Made>): Promise<Made> {
  try {
    return await making;
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    const message = `no certificate can be made: ${error.message}; look at the ClusterPKI`;
    throw new ReconcileError('waiting', 'CertificateNotMade', message);
  }
}
