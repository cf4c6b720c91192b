// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger_format.
#include "ledger_format/appended.h"
#include "ledger_format/bundle.h"
#include "ledger_format/cosignature.h"
#include "ledger_format/entry.h"
#include "ledger_format/note.h"
#include "ledger_format/policy.h"
#include "ledger_format/proof.h"
#include "ledger_format/receipt.h"
#include "ledger_format/root_record.h"
#include "ledger_format/tile.h"
#include "ledger_format/tree.h"
#include "ledger_format/views.h"
