// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module seal.
#include "seal/result.h"
#include "seal/sealer.h"
#include "seal/sealing_checks.h"
#include "seal/verifier.h"
