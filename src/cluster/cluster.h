// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module cluster.
#include "cluster/postgres_sequencer.h"
#include "cluster/s3_signature.h"
#include "cluster/s3_store.h"
