// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module postgres.
#include "postgres/connection.h"
#include "postgres/meaning.h"
#include "postgres/session.h"
