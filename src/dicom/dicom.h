// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module dicom.
#include "dicom/attributes.h"
#include "dicom/character_set.h"
#include "dicom/data_set.h"
#include "dicom/dictionary.h"
#include "dicom/editable.h"
#include "dicom/file.h"
#include "dicom/padding.h"
#include "dicom/path.h"
#include "dicom/tag.h"
#include "dicom/transfer_syntax.h"
#include "dicom/typed.h"
#include "dicom/writer.h"
