// SPDX-License-Identifier: Apache-2.0
#include "sealing/work.h"

#include <utility>

namespace fiducia::sealing {

Bytes Work::evidence_file() const {
  if (former.empty()) return evidence;
  const std::vector<Bytes> both{evidence, former};
  return evidence::write_evidence_file(both);
}

void Work::end(Answer::Status status, Error error) {
  file.reset();
  draft.reset();
  evidence.clear();
  former.clear();
  state = State::settled;
  answer.status = status;
  answer.error = std::move(error);
}

void Work::end_named(Answer::Status status, Error error) {
  if (error.where.file.empty()) error.where.file = object.name;
  end(status, std::move(error));
}

void Work::judge_again() {
  state = State::unjudged;
  answer = {};
  answer.evidence = place();
  file.reset();
  content.reset();
  draft.reset();
  known = 0;
  study_uid.clear();
  series_uid.clear();
  evidence.clear();
  former.clear();
}

}  // namespace fiducia::sealing
