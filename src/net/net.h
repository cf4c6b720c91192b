// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module net: connections, with or without TLS, for whoever speaks a protocol over
// them.
#include "net/listen.h"
#include "net/transport.h"
