// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module dimse: the upper layer of PS3.8 and the command sets of PS3.7, without a
// socket. Bytes go in and out of an `Association`; who moves them is the caller's affair.
#include "dimse/associate.h"
#include "dimse/association.h"
#include "dimse/command.h"
#include "dimse/names.h"
#include "dimse/pdu.h"
