// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module cluster.
#include "cluster/s3_signature.h"
