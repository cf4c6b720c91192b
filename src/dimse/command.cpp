// SPDX-License-Identifier: Apache-2.0
#include "dimse/command.h"

#include <algorithm>
#include <array>

#include "dimse/names.h"

namespace fiducia::dimse {
namespace {

// Elements of group 0000 (PS3.7 Annex E.1).
enum Element : std::uint16_t {
  group_length = 0x0000,
  affected_sop_class = 0x0002,
  requested_sop_class = 0x0003,
  command_field = 0x0100,
  message_id = 0x0110,
  responded_message_id = 0x0120,
  move_destination = 0x0600,
  priority = 0x0700,
  data_set_type = 0x0800,
  status_element = 0x0900,
  offending_element = 0x0901,
  error_comment = 0x0902,
  error_id = 0x0903,
  affected_sop_instance = 0x1000,
  requested_sop_instance = 0x1001,
  event_type = 0x1002,
  action_type = 0x1008,
  remaining = 0x1020,
  completed = 0x1021,
  failed = 0x1022,
  warned = 0x1023,
  move_originator = 0x1030,
  move_originator_message = 0x1031,
};

constexpr std::uint16_t no_data_set = 0x0101;
constexpr std::uint16_t some_data_set = 0x0102;
constexpr std::size_t comment_bytes_max = 64;

/// What a command has to have (PS3.7 tables 9.3-1 to 10.3-12) for anybody to act on it.
enum class DataSet : std::uint8_t { none, must, may };
enum Needs : std::uint8_t {
  nothing = 0,
  affected_class = 1,
  affected_instance = 2,
  requested_class = 4,
  requested_instance = 8,
  destination = 16,
  event = 32,
  action = 64,
};
struct Kind {
  CommandField field;
  std::string_view name;
  std::uint8_t needs;
  DataSet data_set;
};
// Responses carry a data set with pending and warning, or with a failure list; classes and
// instances are optional there.
constexpr std::array kinds{
    Kind{CommandField::c_store_rq, "C-STORE-RQ", affected_class | affected_instance, DataSet::must},
    Kind{CommandField::c_store_rsp, "C-STORE-RSP", nothing, DataSet::none},
    Kind{CommandField::c_get_rq, "C-GET-RQ", affected_class, DataSet::must},
    Kind{CommandField::c_get_rsp, "C-GET-RSP", nothing, DataSet::may},
    Kind{CommandField::c_find_rq, "C-FIND-RQ", affected_class, DataSet::must},
    Kind{CommandField::c_find_rsp, "C-FIND-RSP", nothing, DataSet::may},
    Kind{CommandField::c_move_rq, "C-MOVE-RQ", affected_class | destination, DataSet::must},
    Kind{CommandField::c_move_rsp, "C-MOVE-RSP", nothing, DataSet::may},
    Kind{CommandField::c_echo_rq, "C-ECHO-RQ", affected_class, DataSet::none},
    Kind{CommandField::c_echo_rsp, "C-ECHO-RSP", nothing, DataSet::none},
    Kind{CommandField::n_event_report_rq, "N-EVENT-REPORT-RQ",
         affected_class | affected_instance | event, DataSet::may},
    Kind{CommandField::n_event_report_rsp, "N-EVENT-REPORT-RSP", nothing, DataSet::may},
    Kind{CommandField::n_get_rq, "N-GET-RQ", requested_class | requested_instance, DataSet::none},
    Kind{CommandField::n_get_rsp, "N-GET-RSP", nothing, DataSet::may},
    Kind{CommandField::n_set_rq, "N-SET-RQ", requested_class | requested_instance, DataSet::must},
    Kind{CommandField::n_set_rsp, "N-SET-RSP", nothing, DataSet::may},
    Kind{CommandField::n_action_rq, "N-ACTION-RQ", requested_class | requested_instance | action,
         DataSet::may},
    Kind{CommandField::n_action_rsp, "N-ACTION-RSP", nothing, DataSet::may},
    Kind{CommandField::n_create_rq, "N-CREATE-RQ", affected_class, DataSet::may},
    Kind{CommandField::n_create_rsp, "N-CREATE-RSP", nothing, DataSet::may},
    Kind{CommandField::n_delete_rq, "N-DELETE-RQ", requested_class | requested_instance,
         DataSet::none},
    Kind{CommandField::n_delete_rsp, "N-DELETE-RSP", nothing, DataSet::none},
    Kind{CommandField::c_cancel_rq, "C-CANCEL-RQ", nothing, DataSet::none},
};

const Kind* kind_of(std::uint16_t field) {
  const auto* const found = std::ranges::find_if(
      kinds, [&](const Kind& kind) { return static_cast<std::uint16_t>(kind.field) == field; });
  return found == kinds.end() ? nullptr : &*found;
}

std::unexpected<Error> broken_command(std::string what, std::uint64_t offset) {
  return fail_malformed("command", std::move(what), offset);
}

// --- reading ---

struct Raw {
  std::uint16_t element = 0;
  std::uint64_t offset = 0;
  ByteView value;
};

/// What stands in the set, before it is known what it must have.
struct Found {
  Command command;
  std::optional<std::uint16_t> field;
  std::optional<std::uint16_t> request_id;
  std::optional<std::uint16_t> responded_id;
  std::optional<std::uint16_t> data_set;
};

Status read_number(const Raw& raw, std::optional<std::uint16_t>& to) {
  if (raw.value.size() != sizeof(std::uint16_t))
    return broken_command("a number of a command has two bytes.", raw.offset);
  to = load_le<std::uint16_t>(raw.value.data());
  return {};
}

template <class Read>
Status read_name(const Raw& raw, Read read, std::optional<std::string>& to) {
  if (raw.value.empty()) return {};  // as good as absent: what must stand is asked for below
  auto text = read(raw.value);
  if (!text) {
    text.error().where.offset = raw.offset;
    return std::unexpected(std::move(text.error()));
  }
  to = std::move(*text);
  return {};
}

Status read_comment(const Raw& raw, std::optional<std::string>& to) {
  std::string_view text = as_text(raw.value).substr(0, comment_bytes_max);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  to = std::string{text};
  return {};
}

Status read_offending(const Raw& raw, std::vector<std::uint32_t>& to) {
  if (raw.value.size() % 4 != 0) return broken_command("a tag has four bytes.", raw.offset);
  for (std::size_t at = 0; at < raw.value.size(); at += 4)
    to.push_back(std::uint32_t{load_le<std::uint16_t>(&raw.value[at])} << 16 |
                 load_le<std::uint16_t>(&raw.value[at + 2]));
  return {};
}

Status read_element(const Raw& raw, Found& found) {
  Command& command = found.command;
  switch (raw.element) {
    case affected_sop_class:
      return read_name(raw, read_uid, command.affected_sop_class);
    case requested_sop_class:
      return read_name(raw, read_uid, command.requested_sop_class);
    case command_field:
      return read_number(raw, found.field);
    case message_id:
      return read_number(raw, found.request_id);
    case responded_message_id:
      return read_number(raw, found.responded_id);
    case move_destination:
      return read_name(raw, read_ae_title, command.move_destination);
    case priority:
      return read_number(raw, command.priority);
    case data_set_type:
      return read_number(raw, found.data_set);
    case status_element:
      return read_number(raw, command.status);
    case offending_element:
      return read_offending(raw, command.offending_elements);
    case error_comment:
      return read_comment(raw, command.error_comment);
    case error_id:
      return read_number(raw, command.error_id);
    case affected_sop_instance:
      return read_name(raw, read_uid, command.affected_sop_instance);
    case requested_sop_instance:
      return read_name(raw, read_uid, command.requested_sop_instance);
    case event_type:
      return read_number(raw, command.event_type);
    case action_type:
      return read_number(raw, command.action_type);
    case remaining:
      return read_number(raw, command.remaining);
    case completed:
      return read_number(raw, command.completed);
    case failed:
      return read_number(raw, command.failed);
    case warned:
      return read_number(raw, command.warned);
    case move_originator:
      return read_name(raw, read_ae_title, command.move_originator);
    case move_originator_message:
      return read_number(raw, command.move_originator_message);
    default:
      return {};
  }
}

/// The elements in order, the group length checked and left out.
Status read_elements(ByteView bytes, Found& found) {
  ByteCursor cursor{bytes};
  std::optional<std::uint16_t> before;
  while (cursor.remaining() > 0) {
    const std::uint64_t offset = cursor.offset();
    const auto header = cursor.take(8);
    if (!header) return broken_command("a command set ends within an element.", offset);
    const auto group = load_le<std::uint16_t>(header->data());
    const auto element = load_le<std::uint16_t>(&(*header)[2]);
    const auto value = cursor.take(load_le<std::uint32_t>(&(*header)[4]));
    if (!value) return broken_command("an element is longer than its command set.", offset);
    if (group != 0)
      return broken_command("a command set has elements of group 0000 alone.", offset);
    if (before ? element <= *before : element != group_length)
      return broken_command(before ? "the elements of a command set stand in order, each once."
                                   : "a command set begins with its group length.",
                            offset);
    if (!before) {
      if (value->size() != 4 || load_le<std::uint32_t>(value->data()) != cursor.remaining())
        return broken_command("the group length is not that of the command set.", offset);
    } else {
      FIDUCIA_CHECK(read_element({.element = element, .offset = offset, .value = *value}, found));
    }
    before = element;
  }
  return {};
}

Status check_needs(const Kind& kind, const Found& found) {
  const Command& command = found.command;
  const auto lacks = [&](Needs need, bool is_there) {
    return (kind.needs & need) != 0 && !is_there;
  };
  const std::string of = std::string{kind.name};
  if (lacks(affected_class, command.affected_sop_class.has_value()) ||
      lacks(affected_instance, command.affected_sop_instance.has_value()) ||
      lacks(requested_class, command.requested_sop_class.has_value()) ||
      lacks(requested_instance, command.requested_sop_instance.has_value()) ||
      lacks(destination, command.move_destination.has_value()) ||
      lacks(event, command.event_type.has_value()) ||
      lacks(action, command.action_type.has_value()))
    return broken_command(of + " lacks an element that it must have.", 0);
  if (is_response(kind.field) && !command.status) return broken_command(of + " has no status.", 0);
  if ((kind.data_set == DataSet::must && !command.has_data_set) ||
      (kind.data_set == DataSet::none && command.has_data_set))
    return broken_command(
        of + (command.has_data_set ? " announces a data set, and has none."
                                   : " must have a data set, and announces none."),
        0);
  return {};
}

// --- writing ---

class Writer {
 public:
  void add(std::uint16_t element, ByteView value, char pad) {
    append_le<std::uint16_t>(out_, std::uint16_t{0});
    append_le<std::uint16_t>(out_, element);
    append_le<std::uint32_t>(out_, static_cast<std::uint32_t>(value.size() + value.size() % 2));
    append(out_, value);
    if (value.size() % 2 != 0) out_.push_back(static_cast<std::byte>(pad));
  }
  void add(std::uint16_t element, const std::optional<std::string>& text, char pad) {
    if (text) add(element, as_bytes(*text), pad);
  }
  void add(std::uint16_t element, std::optional<std::uint16_t> number) {
    if (!number) return;
    std::array<std::byte, 2> value{};
    store_le(value.data(), *number);
    add(element, value, '\0');
  }
  [[nodiscard]] Bytes take() {
    Bytes out;
    Writer head;
    std::array<std::byte, 4> value{};
    store_le(value.data(), static_cast<std::uint32_t>(out_.size()));
    head.add(group_length, value, '\0');
    out = std::move(head.out_);
    append(out, out_);
    return out;
  }

 private:
  Bytes out_;
};

Bytes written(const Command& command) {
  const bool answers = is_response(command.field) || command.field == CommandField::c_cancel_rq;
  Writer to;
  to.add(affected_sop_class, command.affected_sop_class, '\0');
  to.add(requested_sop_class, command.requested_sop_class, '\0');
  to.add(command_field, static_cast<std::uint16_t>(command.field));
  to.add(answers ? responded_message_id : message_id, command.message_id);
  to.add(move_destination, command.move_destination, ' ');
  to.add(priority, command.priority);
  to.add(data_set_type, command.has_data_set ? some_data_set : no_data_set);
  to.add(status_element, command.status);
  if (!command.offending_elements.empty()) {
    Bytes tags;
    for (const std::uint32_t tag : command.offending_elements) {
      append_le<std::uint16_t>(tags, static_cast<std::uint16_t>(tag >> 16));
      append_le<std::uint16_t>(tags, static_cast<std::uint16_t>(tag));
    }
    to.add(offending_element, tags, '\0');
  }
  to.add(error_comment, command.error_comment, ' ');
  to.add(error_id, command.error_id);
  to.add(affected_sop_instance, command.affected_sop_instance, '\0');
  to.add(requested_sop_instance, command.requested_sop_instance, '\0');
  to.add(event_type, command.event_type);
  to.add(action_type, command.action_type);
  to.add(remaining, command.remaining);
  to.add(completed, command.completed);
  to.add(failed, command.failed);
  to.add(warned, command.warned);
  to.add(move_originator, command.move_originator, ' ');
  to.add(move_originator_message, command.move_originator_message);
  return to.take();
}

}  // namespace

std::string_view name(CommandField field) {
  const Kind* const kind = kind_of(static_cast<std::uint16_t>(field));
  FIDUCIA_ASSERT(kind != nullptr);
  return kind->name;
}

Result<Command> read_command(ByteView bytes) {
  if (bytes.size() > limits::dimse_command_bytes_max)
    return fail(ErrorCode::over_limit,
                "a command set of " + std::to_string(bytes.size()) + " bytes; " +
                    std::to_string(limits::dimse_command_bytes_max) + " are allowed.");
  Found found;
  FIDUCIA_CHECK(read_elements(bytes, found));
  if (!found.field || !found.data_set)
    return broken_command("a command set says which command it is, and whether a data set follows.",
                          0);
  const Kind* const kind = kind_of(*found.field);
  if (kind == nullptr) return broken_command("a command that PS3.7 does not know.", 0);
  Command& command = found.command;
  command.field = kind->field;
  command.has_data_set = *found.data_set != no_data_set;
  const bool answers = is_response(kind->field) || kind->field == CommandField::c_cancel_rq;
  const auto& id = answers ? found.responded_id : found.request_id;
  if (!id) return broken_command("a command set has no message ID.", 0);
  command.message_id = *id;
  FIDUCIA_CHECK(check_needs(*kind, found));
  return std::move(found.command);
}

Result<Bytes> write_command(const Command& command) {
  Bytes out = written(command);
  const auto back = read_command(out);
  if (!back || *back != command)
    return fail(ErrorCode::usage_invalid,
                "a command that does not read as it was meant: " +
                    (back ? std::string{name(command.field)} : back.error().what));
  return out;
}

Command respond(const Command& request, std::uint16_t status, std::string_view comment) {
  FIDUCIA_ASSERT(!is_response(request.field) && request.field != CommandField::c_cancel_rq);
  Command out{.field = response_to(request.field), .message_id = request.message_id};
  // A response speaks of what is affected, whichever way the request put it (PS3.7 section 10.3).
  out.affected_sop_class =
      request.affected_sop_class ? request.affected_sop_class : request.requested_sop_class;
  out.affected_sop_instance = request.affected_sop_instance ? request.affected_sop_instance
                                                            : request.requested_sop_instance;
  out.status = status;
  if (request.event_type) out.event_type = request.event_type;
  if (request.action_type) out.action_type = request.action_type;
  if (!comment.empty()) {
    std::string plain;
    for (const char c : comment.substr(0, comment_bytes_max))
      plain += c >= ' ' && c < 0x7F && c != '\\' ? c : '?';
    while (!plain.empty() && plain.back() == ' ') plain.pop_back();
    if (!plain.empty()) out.error_comment = std::move(plain);
  }
  return out;
}

}  // namespace fiducia::dimse
