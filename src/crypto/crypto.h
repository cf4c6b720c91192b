// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module crypto, the only place that includes OpenSSL.
#include "crypto/cbor.h"
#include "crypto/certificate.h"
#include "crypto/cose.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/role.h"
#include "crypto/time_stamp.h"
