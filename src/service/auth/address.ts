/** Where a request comes from, behind proxies that are trusted to say so. */
import { BlockList, isIPv6 } from 'node:net';

export type IsTrusted = (address: string) => boolean;

/** Whether an address lies in one of these addresses and networks (valid ones, as the configuration checks them). */
export function trustedProxies(networks: readonly string[]): IsTrusted {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** The peer, or the last address in X-Forwarded-For that no trusted proxy has. */
export function clientAddress(peer: string, forwardedFor: string, isTrusted: IsTrusted): string {
  let address = peer;
  for (const before of forwardedFor.split(',').reverse()) {
    if (before.trim() === '' || !isTrusted(address)) return address;
    address = before.trim();
  }
  return address;
}
