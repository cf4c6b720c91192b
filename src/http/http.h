// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module http.
#include "http/client.h"
#include "http/handler.h"
#include "http/message.h"
#include "http/routes.h"
#include "http/server.h"
