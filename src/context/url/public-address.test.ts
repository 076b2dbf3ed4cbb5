import { describe, expect, test } from 'vitest';
import { whyNotPublic } from './public-address.ts';

describe('an address', () => {
  test.each([
    ['0.0.0.0', 'an unspecified address'],
    ['0.1.2.3', 'an unspecified address'],
    ['10.0.0.1', 'a private address'],
    ['172.16.0.1', 'a private address'],
    ['172.31.255.255', 'a private address'],
    ['192.168.1.1', 'a private address'],
    ['100.64.0.1', 'an address of a carrier network'],
    ['100.127.255.255', 'an address of a carrier network'],
    ['127.0.0.1', 'a loopback address'],
    ['127.255.255.254', 'a loopback address'],
    ['169.254.169.254', 'a link-local address'],
    ['192.0.0.8', 'a reserved address'],
    ['198.19.255.255', 'a reserved address'],
    ['240.0.0.1', 'a reserved address'],
    ['255.255.255.255', 'a reserved address'],
    ['203.0.113.9', 'an address of documentation'],
    ['224.0.0.251', 'a multicast address'],
    ['239.255.255.250', 'a multicast address'],
    ['::', 'an unspecified address'],
    ['::1', 'a loopback address'],
    ['0:0:0:0:0:0:0:1', 'a loopback address'],
    ['::ffff:8.8.8.8', 'an IPv4-mapped address'],
    ['::ffff:7f00:1', 'an IPv4-mapped address'],
    ['::127.0.0.1', 'an IPv4-translated address'],
    ['::ffff:0:127.0.0.1', 'an IPv4-translated address'],
    ['64:ff9b::7f00:1', 'a NAT64 address'],
    ['64:ff9b::8.8.8.8', 'a NAT64 address'],
    ['64:ff9b:1::1', 'a NAT64 address'],
    ['fc00::1', 'a private address'],
    ['fd12:3456:789a::1', 'a private address'],
    ['fec0::1', 'a private address'],
    ['fe80::1', 'a link-local address'],
    ['fe80::1%eth0', 'a link-local address'],
    ['ff02::fb', 'a multicast address'],
    ['2002:7f00:1::', 'a tunnel to an IPv4 address'],
    ['2001:0:4136:e378::', 'a tunnel to an IPv4 address'],
    ['2001:2::1', 'a reserved address'],
    ['2001:db8::1', 'an address of documentation'],
    ['3fff::1', 'an address of documentation'],
    ['100::1', 'a reserved address'],
    ['4000::1', 'a reserved address'],
    ['5f00::1', 'a reserved address'],
    ['localhost', 'not an address'],
    ['', 'not an address'],
  ])('%s is %s', (address, why) => {
    expect(whyNotPublic(address)).toBe(why);
  });

  test.each([
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
    ],
    ...['169.253.0.1', '172.15.0.1', '172.32.0.0', '192.167.0.1', '192.169.0.1', '198.17.0.1', '223.255.255.255'],
    ...['2606:4700:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888', '2400::1'],
  ])('%s is public', (address) => {
    expect(whyNotPublic(address)).toBeUndefined();
  });
});
