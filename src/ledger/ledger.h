// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger.
#include "ledger/check.h"
#include "ledger/cosignature.h"
#include "ledger/journal.h"
#include "ledger/log.h"
#include "ledger/note.h"
#include "ledger/object_store.h"
#include "ledger/policy.h"
#include "ledger/proof.h"
#include "ledger/reader.h"
#include "ledger/receipt.h"
#include "ledger/record_protocol.h"
#include "ledger/sequencer.h"
#include "ledger/tile.h"
#include "ledger/views.h"
#include "ledger/witness.h"
#include "ledger/witness_visit.h"
