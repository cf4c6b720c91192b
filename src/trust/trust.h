// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module trust.
#include "trust/judge.h"
#include "trust/judgement.h"
#include "trust/pinned_receipts.h"
#include "trust/proof_judge.h"
#include "trust/tolerance.h"
#include "trust/trust_file.h"
