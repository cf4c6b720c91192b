// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger_net.
#include "ledger_net/http_source.h"
#include "ledger_net/mirror.h"
#include "ledger_net/tile_server.h"
#include "ledger_net/time_stamp_client.h"
#include "ledger_net/witness_client.h"
#include "ledger_net/witness_server.h"
