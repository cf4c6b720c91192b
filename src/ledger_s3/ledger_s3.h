// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger_s3.
#include "ledger_s3/s3_signature.h"
#include "ledger_s3/s3_store.h"
