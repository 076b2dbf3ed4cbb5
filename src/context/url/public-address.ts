/**
 * Which addresses are those of the public internet. A URL of another person may lead to any address, and a name may resolve to
 * any: what answers on this machine or in its network often asks for no password.
 *
 * @module
 */
import { BlockList, isIP } from 'node:net';

/** IPv4 ranges that are not public, by the words of an error. IANA's special-purpose registry, RFC 6890 and its successors. */
const IPV4: Readonly<Record<string, readonly string[]>> = {
  'an unspecified address': ['0.0.0.0/8'],
  'a private address': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  'an address of a carrier network': ['100.64.0.0/10'],
  'a loopback address': ['127.0.0.0/8'],
  'a link-local address': ['169.254.0.0/16'],
  'a reserved address': ['192.0.0.0/24', '192.88.99.0/24', '198.18.0.0/15', '240.0.0.0/4'],
  'an address of documentation': ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  'a multicast address': ['224.0.0.0/4'],
};

/** IPv6 ranges whose refusal has words of its own. Everything outside of 2000::/3 is refused, named or not. */
const IPV6: Readonly<Record<string, readonly string[]>> = {
  'an unspecified address': ['::/128'],
  'a loopback address': ['::1/128'],
  'an IPv4-mapped address': ['::ffff:0:0/96'],
  'an IPv4-translated address': ['::ffff:0:0:0/96', '::/96'],
  'a NAT64 address': ['64:ff9b::/96', '64:ff9b:1::/48'],
  'a private address': ['fc00::/7', 'fec0::/10'],
  'a link-local address': ['fe80::/10'],
  'a multicast address': ['ff00::/8'],
  'a tunnel to an IPv4 address': ['2001::/32', '2002::/16'],
  'a reserved address': ['2001::/23'],
  'an address of documentation': ['2001:db8::/32', '3fff::/20'],
};

/** Unicast addresses that IANA gives out. */
const GIVEN_OUT: BlockList = listOf(['2000::/3'], 'ipv6');

const REFUSED_4 = listsOf(IPV4, 'ipv4');
const REFUSED_6 = listsOf(IPV6, 'ipv6');

function listsOf(
  ranges: Readonly<Record<string, readonly string[]>>,
  family: 'ipv4' | 'ipv6',
): readonly (readonly [string, BlockList])[] {
  return Object.entries(ranges).map(([words, all]) => [words, listOf(all, family)] as const);
}

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', bits] = range.split('/');
    list.addSubnet(net, Number(bits), family);
  }
  return list;
}

/** The kind of an address that is not public, e.g. `a loopback address`; undefined for a public one. */
export function whyNotPublic(address: string): string | undefined {
  const [bare = ''] = address.split('%');
  const version = isIP(bare);
  if (version === 0) return 'not an address';
  const [lists, family] = version === 4 ? ([REFUSED_4, 'ipv4'] as const) : ([REFUSED_6, 'ipv6'] as const);
  const found = lists.find(([, list]) => list.check(bare, family));
  if (found !== undefined) return found[0];
  return version === 4 || GIVEN_OUT.check(bare, 'ipv6') ? undefined : 'a reserved address';
}
