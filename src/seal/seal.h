// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module seal.
#include "seal/embed.h"
#include "seal/evidence.h"
#include "seal/ledger_entry.h"
#include "seal/lookup.h"
#include "seal/pinned_receipts.h"
#include "seal/result.h"
#include "seal/sealer.h"
#include "seal/sealing_checks.h"
#include "seal/statement.h"
#include "seal/tolerance.h"
#include "seal/trust.h"
#include "seal/verifier.h"
