/** Under which name something is kept, in every tier, in flight and among uploads. */
import { hash } from 'node:crypto';

/**
 * The digest itself where all tenants share what is kept; else a name that no other tenant's request leads to, whatever
 * digest it asks for. Digests are functions of public things, so the tenant goes into the name, not into the digest.
 */
export function cacheKey(tenant: string, digest: string): string {
  return tenant === '' ? digest : hash('sha256', `${tenant.length}:${tenant}\n${digest}`);
}
