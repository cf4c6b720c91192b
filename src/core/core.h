// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module core: bytes, budgets of work, checked arithmetic, limits, errors, time,
// files, text, threads and their locks.
#include "core/budget.h"
#include "core/bytes.h"
#include "core/checked.h"
#include "core/error.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/mutex.h"
#include "core/ordered_queue.h"
#include "core/output_file.h"
#include "core/program.h"
#include "core/stream.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "core/time.h"
#include "core/visible.h"
