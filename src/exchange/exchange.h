// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module exchange.
#include "exchange/http_source.h"
#include "exchange/mirror.h"
#include "exchange/tile_server.h"
#include "exchange/time_stamp_client.h"
#include "exchange/witness_client.h"
#include "exchange/witness_server.h"
