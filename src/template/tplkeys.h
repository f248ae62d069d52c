/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's key for template images: ed25519, keys/images in the data folder,
 * made when it is first wanted.
 */
#pragma once

#include "base/fault.h"
#include "image/merkle.h"

/* `data` is the open data folder.  0, or a negative errno and why. */
must_check int tplkeys_sign(int data, struct merkle_head *head,
                            struct fault *f);

/* 0; -EBADMSG: the head has another signature; or as above. */
must_check int tplkeys_verify(int data, const struct merkle_head *head,
                              struct fault *f);
