// SPDX-License-Identifier: Apache-2.0
#include "dimse/associate.h"

#include <algorithm>
#include <bitset>

#include "dimse/names.h"
#include "dimse/pdu.h"

namespace fiducia::dimse {
namespace {

// PS3.8 tables 9-11 to 9-20, PS3.7 Annex D.3.
enum Item : std::uint8_t {
  application_context = 0x10,
  proposed_context = 0x20,
  answered_context = 0x21,
  abstract_syntax = 0x30,
  transfer_syntax = 0x40,
  user_information = 0x50,
  maximum_length = 0x51,
  implementation_class = 0x52,
  async_window = 0x53,
  role_selection = 0x54,
  implementation_version = 0x55,
  extended_negotiation = 0x56,
  user_identity = 0x58,
  user_identity_response = 0x59,
};

constexpr std::uint16_t version_1 = 1;
constexpr std::size_t ae_title_bytes = 16;
constexpr std::size_t reserved_bytes = 32;
constexpr std::uint32_t p_data_bytes_min = 7;  // header of a fragment and one byte
constexpr std::size_t version_name_characters_max = 16;

std::unexpected<Error> broken(std::string what, std::uint64_t offset) {
  return fail_malformed("pdu", std::move(what), offset);
}

// --- reading ---

struct ReadItem {
  std::uint8_t type = 0;
  std::uint64_t offset = 0;
  ByteView value;
};

Result<ReadItem> read_item(ByteCursor& cursor) {
  const std::uint64_t offset = cursor.offset();
  const auto header = cursor.take(4);
  if (!header) return broken("an item of an association ends before its length.", offset);
  const auto length_bytes = load_be<std::uint16_t>(&(*header)[2]);
  const auto value = cursor.take(length_bytes);
  if (!value) return broken("an item of an association is longer than what it stands in.", offset);
  return ReadItem{
      .type = std::to_integer<std::uint8_t>(header->front()), .offset = offset, .value = *value};
}

/// The place in the PDU of an error in an item's value.
template <class T>
Result<T> in(const ReadItem& item, Result<T> read) {
  if (!read && !read.error().where.offset) read.error().where.offset = item.offset;
  return read;
}

/// Text of at most `count` bytes behind a length of two bytes.
Result<ByteView> read_counted(ByteCursor& cursor, const ReadItem& item) {
  const auto count = cursor.be<std::uint16_t>();
  if (!count) return broken("an item of an association is too short.", item.offset);
  const auto bytes = cursor.take(*count);
  if (!bytes) return broken("a value is longer than the item that it stands in.", item.offset);
  return *bytes;
}

Status check_end(const ByteCursor& cursor, const ReadItem& item) {
  if (cursor.remaining() == 0) return {};
  return broken("an item of an association is longer than its values.", item.offset);
}

/// Context IDs seen so far; each stands once.
class ContextIds {
 public:
  Status add(std::uint8_t id, std::uint64_t offset) {
    // They differ, so that no association has more contexts.
    static_assert(limits::dimse_contexts_max == 256 / 2);
    if (id % 2 == 0) return broken("the ID of a presentation context is odd.", offset);
    if (seen_[id]) return broken("two presentation contexts have one ID.", offset);
    seen_.set(id);
    return {};
  }

 private:
  std::bitset<256> seen_;
};

Result<ProposedContext> read_proposed(const ReadItem& item, ContextIds& ids) {
  ByteCursor cursor{item.value, item.offset + 4};
  const auto head = cursor.take(4);
  if (!head) return broken("a presentation context is too short.", item.offset);
  ProposedContext out{.id = std::to_integer<std::uint8_t>(head->front()),
                      .abstract_syntax = {},
                      .transfer_syntaxes = {}};
  FIDUCIA_CHECK(ids.add(out.id, item.offset));
  while (cursor.remaining() > 0) {
    FIDUCIA_TRY(sub, read_item(cursor));
    if (sub.type == abstract_syntax) {
      if (!out.abstract_syntax.empty())
        return broken("a presentation context has two abstract syntaxes.", sub.offset);
      FIDUCIA_TRY(uid, in(sub, read_uid(sub.value)));
      out.abstract_syntax = std::move(uid);
    } else if (sub.type == transfer_syntax) {
      FIDUCIA_TRY(uid, in(sub, read_uid(sub.value)));
      out.transfer_syntaxes.push_back(std::move(uid));
    }
  }
  if (out.abstract_syntax.empty() || out.transfer_syntaxes.empty())
    return broken("a presentation context has no abstract syntax, or no transfer syntax.",
                  item.offset);
  return out;
}

Result<AnsweredContext> read_answered(const ReadItem& item, ContextIds& ids) {
  ByteCursor cursor{item.value, item.offset + 4};
  const auto head = cursor.take(4);
  if (!head) return broken("a presentation context is too short.", item.offset);
  const auto result = std::to_integer<std::uint8_t>((*head)[2]);
  if (result > static_cast<std::uint8_t>(ContextResult::transfer_syntaxes_not_supported))
    return broken("a presentation context is answered with a result that PS3.8 does not know.",
                  item.offset);
  AnsweredContext out{.id = std::to_integer<std::uint8_t>(head->front()),
                      .result = static_cast<ContextResult>(result),
                      .transfer_syntax = {}};
  FIDUCIA_CHECK(ids.add(out.id, item.offset));
  const bool is_accepted = out.result == ContextResult::accepted;
  while (cursor.remaining() > 0) {
    FIDUCIA_TRY(sub, read_item(cursor));
    // Where the context was not accepted this means nothing, and may be empty (PS3.8 9.3.3.2).
    if (sub.type != transfer_syntax || !is_accepted) continue;
    if (!out.transfer_syntax.empty())
      return broken("a presentation context is answered with two transfer syntaxes.", sub.offset);
    FIDUCIA_TRY(uid, in(sub, read_uid(sub.value)));
    out.transfer_syntax = std::move(uid);
  }
  if (is_accepted && out.transfer_syntax.empty())
    return broken("a presentation context is accepted without a transfer syntax.", item.offset);
  return out;
}

Result<RoleSelection> read_role(const ReadItem& item) {
  ByteCursor cursor{item.value, item.offset + 4};
  FIDUCIA_TRY(bytes, read_counted(cursor, item));
  FIDUCIA_TRY(uid, in(item, read_uid(bytes)));
  const auto roles = cursor.take(2);
  if (!roles) return broken("a role selection is too short.", item.offset);
  FIDUCIA_CHECK(check_end(cursor, item));
  return RoleSelection{.sop_class = std::move(uid),
                       .scu = (*roles)[0] == std::byte{1},
                       .scp = (*roles)[1] == std::byte{1}};
}

Result<ExtendedNegotiation> read_extended(const ReadItem& item) {
  ByteCursor cursor{item.value, item.offset + 4};
  FIDUCIA_TRY(bytes, read_counted(cursor, item));
  FIDUCIA_TRY(uid, in(item, read_uid(bytes)));
  return ExtendedNegotiation{.sop_class = std::move(uid),
                             .information = {cursor.rest().begin(), cursor.rest().end()}};
}

Result<UserIdentity> read_identity(const ReadItem& item) {
  ByteCursor cursor{item.value, item.offset + 4};
  const auto head = cursor.take(2);
  if (!head) return broken("a user identity is too short.", item.offset);
  UserIdentity out{.type = std::to_integer<std::uint8_t>((*head)[0]),
                   .wants_response = (*head)[1] == std::byte{1},
                   .primary = {},
                   .secondary = {}};
  FIDUCIA_TRY(primary, read_counted(cursor, item));
  FIDUCIA_TRY(secondary, read_counted(cursor, item));
  FIDUCIA_CHECK(check_end(cursor, item));
  out.primary.assign(primary.begin(), primary.end());
  out.secondary.assign(secondary.begin(), secondary.end());
  return out;
}

Result<std::uint32_t> read_maximum_length(const ReadItem& item) {
  if (item.value.size() != 4) return broken("a maximum length has four bytes.", item.offset);
  const auto bytes_max = load_be<std::uint32_t>(item.value.data());
  if (bytes_max != 0 && bytes_max < p_data_bytes_min)
    return broken("no fragment fits into the maximum length.", item.offset);
  return bytes_max;
}

Result<std::string> read_version_name(const ReadItem& item) {
  std::string_view name = as_text(item.value).substr(0, version_name_characters_max);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\0')) name.remove_suffix(1);
  return std::string{name};
}

Result<UserInformation> read_user(const ReadItem& user) {
  UserInformation out;
  std::bitset<256> seen;
  ByteCursor cursor{user.value, user.offset + 4};
  while (cursor.remaining() > 0) {
    FIDUCIA_TRY(item, read_item(cursor));
    const bool may_repeat = item.type == role_selection || item.type == extended_negotiation;
    if (item.type >= maximum_length && item.type <= user_identity_response && !may_repeat &&
        seen[item.type] && item.type != 0x57)
      return broken("an item of the user information stands twice.", item.offset);
    seen.set(item.type);
    switch (item.type) {
      case maximum_length: {
        FIDUCIA_TRY(bytes_max, read_maximum_length(item));
        out.p_data_bytes_max = bytes_max;
        break;
      }
      case implementation_class: {
        FIDUCIA_TRY(uid, in(item, read_uid(item.value)));
        out.implementation_class_uid = std::move(uid);
        break;
      }
      case implementation_version: {
        FIDUCIA_TRY(name, read_version_name(item));
        out.implementation_version = std::move(name);
        break;
      }
      case async_window:
        if (item.value.size() != 4) return broken("a window has four bytes.", item.offset);
        out.window = AsyncWindow{.invoked = load_be<std::uint16_t>(item.value.data()),
                                 .performed = load_be<std::uint16_t>(&item.value[2])};
        break;
      case role_selection: {
        FIDUCIA_TRY(role, read_role(item));
        out.roles.push_back(std::move(role));
        break;
      }
      case extended_negotiation: {
        FIDUCIA_TRY(extended, read_extended(item));
        out.extended.push_back(std::move(extended));
        break;
      }
      case user_identity: {
        FIDUCIA_TRY(identity, read_identity(item));
        out.identity = std::move(identity);
        break;
      }
      case user_identity_response: {
        ByteCursor answer{item.value, item.offset + 4};
        FIDUCIA_TRY(bytes, read_counted(answer, item));
        out.identity_response = Bytes{bytes.begin(), bytes.end()};
        break;
      }
      default:
        break;
    }
  }
  if (out.implementation_class_uid.empty())
    return broken("the user information names no implementation class.", user.offset);
  return out;
}

struct Head {
  ByteView called;
  ByteView calling;
};

Result<Head> read_head(ByteCursor& cursor) {
  FIDUCIA_TRY(version, cursor.be<std::uint16_t>());
  // Each bit stands for a version; only bit 0 is looked at (PS3.8 section 9.3.2).
  if ((version & version_1) == 0)
    return std::unexpected(Error{.code = ErrorCode::unsupported,
                                 .what = "an association of another version of the protocol.",
                                 .where = {.offset = 0},
                                 .kind = "protocol"});
  FIDUCIA_TRY(reserved, cursor.take(2));
  static_cast<void>(reserved);
  FIDUCIA_TRY(called, cursor.take(ae_title_bytes));
  FIDUCIA_TRY(calling, cursor.take(ae_title_bytes));
  FIDUCIA_TRY(more, cursor.take(reserved_bytes));
  static_cast<void>(more);
  return Head{.called = called, .calling = calling};
}

/// The items of a request or an answer, whose contexts `read_context` reads into `out`.
template <class Association, class ReadContext>
Status read_items(ByteCursor& cursor, Association& out, std::uint8_t context_item,
                  ReadContext read_context) {
  ContextIds ids;
  bool has_user = false;
  while (cursor.remaining() > 0) {
    FIDUCIA_TRY(item, read_item(cursor));
    if (item.type == application_context) {
      if (!out.application_context.empty())
        return broken("an association has two application contexts.", item.offset);
      FIDUCIA_TRY(uid, in(item, read_uid(item.value)));
      out.application_context = std::move(uid);
    } else if (item.type == context_item) {
      FIDUCIA_TRY(context, read_context(item, ids));
      out.contexts.push_back(std::move(context));
    } else if (item.type == user_information) {
      if (has_user) return broken("an association has two user informations.", item.offset);
      has_user = true;
      FIDUCIA_TRY(user, read_user(item));
      out.user = std::move(user);
    }
  }
  if (out.application_context.empty() || out.contexts.empty() || !has_user)
    return broken(
        "an association has an application context, presentation contexts and user information.",
        cursor.offset());
  return {};
}

// --- writing ---

void write_item(Bytes& to, std::uint8_t type, ByteView value) {
  to.push_back(static_cast<std::byte>(type));
  to.push_back(std::byte{0});
  append_be<std::uint16_t>(to, static_cast<std::uint16_t>(value.size()));
  append(to, value);
}

void write_counted(Bytes& to, ByteView value) {
  append_be<std::uint16_t>(to, static_cast<std::uint16_t>(value.size()));
  append(to, value);
}

std::byte flag(bool is_set) { return is_set ? std::byte{1} : std::byte{0}; }

Bytes written_user(const UserInformation& user) {
  Bytes out;
  Bytes value;
  append_be<std::uint32_t>(value, user.p_data_bytes_max);
  write_item(out, maximum_length, value);
  write_item(out, implementation_class, as_bytes(user.implementation_class_uid));
  if (user.window) {
    value.clear();
    append_be<std::uint16_t>(value, user.window->invoked);
    append_be<std::uint16_t>(value, user.window->performed);
    write_item(out, async_window, value);
  }
  for (const RoleSelection& role : user.roles) {
    value.clear();
    write_counted(value, as_bytes(role.sop_class));
    value.push_back(flag(role.scu));
    value.push_back(flag(role.scp));
    write_item(out, role_selection, value);
  }
  if (!user.implementation_version.empty())
    write_item(out, implementation_version, as_bytes(user.implementation_version));
  for (const ExtendedNegotiation& extended : user.extended) {
    value.clear();
    write_counted(value, as_bytes(extended.sop_class));
    append(value, extended.information);
    write_item(out, extended_negotiation, value);
  }
  if (user.identity) {
    value = {static_cast<std::byte>(user.identity->type), flag(user.identity->wants_response)};
    write_counted(value, user.identity->primary);
    write_counted(value, user.identity->secondary);
    write_item(out, user_identity, value);
    wipe(value);
  }
  if (user.identity_response) {
    value.clear();
    write_counted(value, *user.identity_response);
    write_item(out, user_identity_response, value);
  }
  return out;
}

void write_ae_title(Bytes& to, std::string_view title) {
  std::string padded{title.substr(0, ae_title_bytes)};
  padded.resize(ae_title_bytes, ' ');
  append(to, as_bytes(padded));
}

Bytes written_context(const ProposedContext& context) {
  Bytes value{static_cast<std::byte>(context.id), std::byte{0}, std::byte{0}, std::byte{0}};
  write_item(value, abstract_syntax, as_bytes(context.abstract_syntax));
  for (const std::string& syntax : context.transfer_syntaxes)
    write_item(value, transfer_syntax, as_bytes(syntax));
  return value;
}

Bytes written_context(const AnsweredContext& context) {
  Bytes value{static_cast<std::byte>(context.id), std::byte{0},
              static_cast<std::byte>(context.result), std::byte{0}};
  write_item(value, transfer_syntax, as_bytes(context.transfer_syntax));
  return value;
}

constexpr std::size_t item_bytes_max = 0xFFFF;  // lengths of items have two bytes

template <class Association>
Status write_association(Bytes& to, PduType type, std::uint8_t context_item,
                         const Association& association) {
  const auto too_long = [] {
    return fail(ErrorCode::over_limit,
                "an association is longer than " +
                    std::to_string(limits::dimse_associate_bytes_max) + " bytes.",
                "Propose fewer presentation contexts.");
  };
  Bytes body;
  append_be<std::uint16_t>(body, version_1);
  append_be<std::uint16_t>(body, std::uint16_t{0});
  write_ae_title(body, association.called_ae_title);
  write_ae_title(body, association.calling_ae_title);
  body.resize(body.size() + reserved_bytes);
  write_item(body, application_context, as_bytes(association.application_context));
  for (const auto& context : association.contexts) {
    const Bytes value = written_context(context);
    if (value.size() > item_bytes_max) return too_long();
    write_item(body, context_item, value);
  }
  const Bytes user = written_user(association.user);
  if (user.size() > item_bytes_max) return too_long();
  write_item(body, user_information, user);
  if (body.size() > limits::dimse_associate_bytes_max) return too_long();
  write_pdu(to, type, body);
  return {};
}

/// What the reader refuses is not written: our own values that break a rule are told at once.
template <class Association>
Status check_readable(const Bytes& pdu, std::size_t start,
                      Result<Association> (*read)(ByteView body), const Association& meant) {
  const auto back = read(ByteView{pdu}.subspan(start + pdu_header_bytes));
  if (!back) {
    Error error = back.error();
    error.code = ErrorCode::usage_invalid;
    return std::unexpected(std::move(error));
  }
  if (*back != meant)
    return fail(ErrorCode::usage_invalid, "an association that does not read as it was meant.");
  return {};
}

template <class Association>
Status write_checked(Bytes& to, PduType type, std::uint8_t context_item,
                     Result<Association> (*read)(ByteView body), const Association& association) {
  const std::size_t start = to.size();
  Status done = write_association(to, type, context_item, association);
  if (done) done = check_readable(to, start, read, association);
  if (!done) to.resize(start);
  return done;
}

}  // namespace

Result<AssociateRequest> read_associate_request(ByteView body) {
  ByteCursor cursor{body};
  FIDUCIA_TRY(head, read_head(cursor));
  AssociateRequest out;
  FIDUCIA_TRY(called, read_ae_title(head.called));
  FIDUCIA_TRY(calling, read_ae_title(head.calling));
  out.called_ae_title = std::move(called);
  out.calling_ae_title = std::move(calling);
  FIDUCIA_CHECK(read_items(cursor, out, proposed_context, read_proposed));
  return out;
}

Result<AssociateAccept> read_associate_accept(ByteView body) {
  ByteCursor cursor{body};
  FIDUCIA_TRY(head, read_head(cursor));
  AssociateAccept out;
  // Not tested (PS3.8 section 9.3.3), so read only where they can be.
  out.called_ae_title = read_ae_title(head.called).value_or("");
  out.calling_ae_title = read_ae_title(head.calling).value_or("");
  FIDUCIA_CHECK(read_items(cursor, out, answered_context, read_answered));
  return out;
}

Status write_associate_request(Bytes& to, const AssociateRequest& request) {
  return write_checked(to, PduType::associate_rq, proposed_context, read_associate_request,
                       request);
}

Status write_associate_accept(Bytes& to, const AssociateAccept& accept) {
  return write_checked(to, PduType::associate_ac, answered_context, read_associate_accept, accept);
}

}  // namespace fiducia::dimse
