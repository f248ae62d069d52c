/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qube's one interface, as ioctl and netlink describe it.
 */
#pragma once

#define SOCKDEV_NAME  "lo"
#define SOCKDEV_INDEX 1
#define SOCKDEV_MTU   65536
#define SOCKDEV_QUEUE 1000
#define SOCKDEV_FLAGS 0x49        /* IFF_UP | IFF_LOOPBACK | IFF_RUNNING */
#define SOCKDEV_LOWER 0x10000     /* IFF_LOWER_UP */
#define SOCKDEV_TYPE  772         /* ARPHRD_LOOPBACK */
#define SOCKDEV_ADDR4 0x7f000001u /* 127.0.0.1 */
#define SOCKDEV_MASK4 0xff000000u
