// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module dimse: the upper layer of PS3.8 and the command sets of PS3.7. An
// `Association` is a machine without a socket; a `Listener` takes associations over a network.
#include "dimse/associate.h"
#include "dimse/association.h"
#include "dimse/command.h"
#include "dimse/listener.h"
#include "dimse/names.h"
#include "dimse/pdu.h"
#include "dimse/service.h"
