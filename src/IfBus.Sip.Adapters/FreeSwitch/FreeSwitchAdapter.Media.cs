using System.Globalization;
using System.Text.Json;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <content>Conference rooms, recordings, DTMF and variables.</content>
internal sealed partial class FreeSwitchAdapter
{
    private static readonly string[] UsualFormats = ["wav", "WAV", "au", "raw"];

    protected override async Task<SipCall> JoinConferenceAsync(FreeSwitchSession session, string callId, SipConferenceJoin request, CancellationToken cancellationToken)
    {
        CallRules.CheckRoom(request.Conference);
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        FreeSwitchLeg one;
        FreeSwitchLeg? other, left;
        bool bridged;
        lock (Calls.Sync)
        {
            if (call.State is not (CallState.Connected or CallState.OnHold)) throw WrongState(call, "SipCallNotConnected", "is not connected");
            one = (request.Party == SipParty.To ? call.LegOf(SipParty.To) : call.LegOf(SipParty.From)) ?? throw WrongState(call, "SipNoSuchParty", $"has no {request.Party} party");
            other = request.Party == SipParty.Both ? call.LegOf(SipParty.To) : null;
            left = request.Party == SipParty.Both ? null : call.LegOf(request.Party == SipParty.To ? SipParty.From : SipParty.To);
            bridged = other is not null && one.Peer == other;
        }

        if ((await GetConferencesAsync(session, request.Conference, cancellationToken).ConfigureAwait(false)) is [{ Locked: true }])
            throw new SipCallStateException($"{request.Conference} on {Name} is locked. Nothing was changed.", call.State, "SipConferenceLocked") { CallId = call.CallId, RecommendedAction = "Set-SipConference -Locked $false unlocks it." };

        string room = $"conference:{request.Conference}@default inline";
        using CallCondition<FreeSwitchCall> joined = _mapper.Conditions.When(call, _ => (one.Room == request.Conference || one.Ended) && (other is null || other.Ended || other.Room == request.Conference));
        await AskAsync(session, $"uuid_transfer {Word(one)} {(bridged ? "-both " : "")}{room}", "SipConferenceFailed", $"{Name} refused to move {call.CallId} into {request.Conference}", call.CallId, cancellationToken).ConfigureAwait(false);
        if (other is not null && !bridged) await AskAsync(session, $"uuid_transfer {Word(other)} {room}", "SipConferenceFailed", $"{Name} refused to move {call.CallId} into {request.Conference}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(joined, () => $"{call.CallId} did not get into {request.Conference}", call, cancellationToken).ConfigureAwait(false);
        if (one.Room != request.Conference) throw Ended(call);
        lock (Calls.Sync)
        {
            if (request.Party == SipParty.To) call.Primary = one;
        }

        if (left is { Ended: false }) await KillAsync(session, left, FreeSwitchCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
        return Shown(call);
    }

    protected override async Task<SipCall> LeaveConferenceAsync(FreeSwitchSession session, string callId, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        List<(FreeSwitchLeg Leg, string Room, string Member)> members;
        lock (Calls.Sync) members = Inside();
        if (members.Count == 0)
        {
            // It may have joined when nobody listened.
            await RoomsAsync(session, cancellationToken).ConfigureAwait(false);
            lock (Calls.Sync) members = Inside();
        }

        if (members.Count == 0) throw WrongState(call, "SipCallNotInConference", "is in no conference room");
        using CallCondition<FreeSwitchCall> left = _mapper.Conditions.When(call, _ => members.TrueForAll(m => m.Leg.Room is null || m.Leg.Ended));
        foreach ((FreeSwitchLeg leg, string room, string member) in members)
        {
            // hup is a kick without an announcement.
            EslReply reply = await session.Esl.RunAsync($"conference {room} hup {member}", cancellationToken).ConfigureAwait(false);
            if (reply.IsError && leg is { Ended: false, Room: not null }) throw Rejected(reply, "SipConferenceFailed", $"{Name} refused to take {leg.Name} out of {room}", call.CallId);
        }

        await InTimeAsync(left, Configuration.RequestTimeout, () => $"{call.CallId} has not left its room", call, cancellationToken).ConfigureAwait(false);
        // Where its dialplan ends with the room, as after Join-SipConference, its end comes at once; elsewhere it goes on.
        using CallCondition<FreeSwitchCall> gone = _mapper.Conditions.When(call, _ => false);
        await GiveTimeAsync(gone.Task, TimeSpan.FromMilliseconds(500), cancellationToken).ConfigureAwait(false);
        return Shown(call);

        List<(FreeSwitchLeg Leg, string Room, string Member)> Inside() => [.. call.Legs.Where(l => l is { Ended: false, Room: not null, MemberId: not null }).Select(l => (l, l.Room!, l.MemberId!))];
    }

    protected override async Task<IReadOnlyList<SipConference>> GetConferencesAsync(FreeSwitchSession session, string? name, CancellationToken cancellationToken)
    {
        if (name is not null) CallRules.CheckRoom(name, strict: false);
        // A room ends with its last member; for a moment it is still listed.
        return (await RoomsAsync(session, cancellationToken).ConfigureAwait(false)).Rooms.Where(r => r.MemberCount > 0 && (name is null || r.Name == name)).ToArray();
    }

    // The rooms, and their members as the server's commands want them. The calls of our table take over what it says.
    private async Task<(IReadOnlyList<SipConference> Rooms, IReadOnlyDictionary<string, (string Room, string Member)> Members)> RoomsAsync(FreeSwitchSession session, CancellationToken cancellationToken)
    {
        EslReply reply = await AskAsync(session, "conference json_list", "SipRejected", $"{Name} does not list its conference rooms", null, cancellationToken).ConfigureAwait(false);
        using JsonDocument rooms = Parse(reply.Text);
        IReadOnlyDictionary<string, (string Room, string Member)> members = Members(rooms);
        _mapper.ApplyRooms(members);
        return (rooms.RootElement.EnumerateArray().Select(Room).ToArray(), members);
    }

    // Room and number of each member, by its uuid.
    private static Dictionary<string, (string Room, string Member)> Members(JsonDocument rooms)
    {
        var members = new Dictionary<string, (string Room, string Member)>(StringComparer.Ordinal);
        foreach (JsonElement room in rooms.RootElement.EnumerateArray())
        {
            if (Text(room, "conference_name") is not { } name || !room.TryGetProperty("members", out JsonElement inside) || inside.ValueKind != JsonValueKind.Array) continue;
            foreach (JsonElement member in inside.EnumerateArray())
            {
                if (member.ValueKind == JsonValueKind.Object && Text(member, "uuid") is { } uuid && member.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number))
                    members[uuid] = (name, number.ToString(CultureInfo.InvariantCulture));
            }
        }

        return members;
    }

    // An array of rooms, each an object.
    private JsonDocument Parse(string list)
    {
        JsonDocument? rooms = null;
        try
        {
            rooms = JsonDocument.Parse(list.Length == 0 ? "[]" : list);
            if (rooms.RootElement.ValueKind == JsonValueKind.Array && rooms.RootElement.EnumerateArray().All(r => r.ValueKind == JsonValueKind.Object)) return rooms;
        }
        catch (JsonException e)
        {
            throw new SipProtocolException($"{Name}'s list of conference rooms is no JSON: '{SipText.Printable(list)}'.", e);
        }

        rooms.Dispose();
        throw new SipProtocolException($"{Name}'s list of conference rooms is no list of rooms: '{SipText.Printable(list)}'.");
    }

    protected override async Task<SipConference?> SetConferenceAsync(FreeSwitchSession session, string name, SipConferenceChange change, CancellationToken cancellationToken)
    {
        // Blanks would be arguments.
        CallRules.CheckRoom(name);
        if (change.Path is not null && change.Recording != true) throw new SipArgumentException("Path", change.Path, "goes with -Recording $true only.");
        string? file = change.Recording == true ? Recording(session, change.Path ?? $"conference-{name}-{Calls.Now:yyyyMMdd-HHmmss}.wav") : null;
        (IReadOnlyList<SipConference> all, IReadOnlyDictionary<string, (string Room, string Member)> members) = await RoomsAsync(session, cancellationToken).ConfigureAwait(false);
        SipConference room = all.FirstOrDefault(r => r.MemberCount > 0 && r.Name == name)
            ?? throw new SipRejectedException($"{Name}: there is no conference room '{name}'.", $"Conference {name} not found", errorId: "SipConferenceNotFound");
        string who = change.Member is null ? "all" : MemberOf(room, change.Member, members);

        if (change.Locked is { } locked) await RoomAsync(session, name, locked ? "lock" : "unlock", cancellationToken).ConfigureAwait(false);
        if (change.Muted is { } muted) await RoomAsync(session, name, $"{(muted ? "mute" : "unmute")} {who}", cancellationToken).ConfigureAwait(false);
        if (file is not null) await RoomAsync(session, name, $"record {file}", cancellationToken).ConfigureAwait(false);
        else if (change.Recording == false) await RoomAsync(session, name, "norecord all", cancellationToken).ConfigureAwait(false);
        if (change.Kick) await RoomAsync(session, name, $"kick {who}", cancellationToken).ConfigureAwait(false);
        IReadOnlyList<SipConference> rooms = await GetConferencesAsync(session, name, cancellationToken).ConfigureAwait(false);
        return rooms.Count == 0 ? null : rooms[0];
    }

    protected override async Task<SipRecording> StartRecordingAsync(FreeSwitchSession session, string callId, SipRecordingRequest request, CancellationToken cancellationToken)
    {
        string path = Recording(session, request.Path);
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        FreeSwitchLeg leg;
        lock (Calls.Sync)
        {
            if (call.State is not (CallState.Connected or CallState.OnHold or CallState.Transferring)) throw WrongState(call, "SipCallNotConnected", "is not connected");
            leg = call.LegOf(request.Party == SipParty.To ? SipParty.To : SipParty.From) ?? throw WrongState(call, "SipNoSuchParty", $"has no {request.Party} party");
            // The server says +OK and goes on with the one that runs.
            if (call.Legs.Exists(l => l.Recording?.Contains(path) == true)) throw WrongState(call, "SipRecordingRuns", $"is being recorded to {request.Path} already");
        }

        using CallCondition<FreeSwitchCall> begun = _mapper.Conditions.When(call, _ => leg.Recording?.Contains(path) == true || leg.Ended);
        await AskAsync(session, $"uuid_record {Word(leg)} start {path}", "SipRecordingFailed", $"{Name} refused to record {call.CallId} to {request.Path}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(begun, () => $"{Name} took the recording of {call.CallId}, and did not say that it began", call, cancellationToken).ConfigureAwait(false);
        if (leg.Ended) throw Ended(call);
        // The server knows a recording by its file.
        var recording = new SipRecording { RecordingId = path, CallId = call.CallId, Server = Name, Path = path, State = SipRecordingState.Recording, StartedAt = Calls.Now };
        lock (Calls.Sync) call.Recordings.Add(recording);
        return recording;
    }

    protected override async Task<IReadOnlyList<SipRecording>> ChangeRecordingAsync(FreeSwitchSession session, string callId, string? recordingId, SipRecordingState state, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        List<SipRecording> wanted;
        lock (Calls.Sync) wanted = call.Recordings.FindAll(r => r.State != SipRecordingState.Stopped && (recordingId is null || r.RecordingId == recordingId));
        if (wanted.Count == 0)
        {
            throw new SipCallStateException(
                recordingId is null ? $"Call {call.CallId} on {Name} has no recording of ours that runs." : $"Call {call.CallId} on {Name} has no running recording '{SipText.Printable(recordingId)}' of ours.", call.State, "SipNotRecording")
            {
                CallId = call.CallId,
            };
        }

        foreach (SipRecording recording in wanted)
        {
            FreeSwitchLeg? leg;
            lock (Calls.Sync) leg = call.Legs.Find(l => !l.Ended && l.Recording?.Contains(recording.Path) == true);
            if (leg is null) throw Ended(call);
            string verb = state switch { SipRecordingState.Stopped => "stop", SipRecordingState.Muted => "mask", _ => "unmask" };
            using CallCondition<FreeSwitchCall> stopped = _mapper.Conditions.When(call, _ => leg.Recording?.Contains(recording.Path) != true);
            await AskAsync(session, $"uuid_record {Word(leg)} {verb} {recording.Path}", "SipRecordingFailed", $"{Name} refused to {verb} the recording {recording.Path}", call.CallId, cancellationToken).ConfigureAwait(false);
            if (state == SipRecordingState.Stopped) await InTimeAsync(stopped, Configuration.RequestTimeout, () => $"{Name} took the end of the recording, and did not say that it ended", call, cancellationToken).ConfigureAwait(false);
            lock (Calls.Sync)
            {
                int index = call.Recordings.FindIndex(r => r.Path == recording.Path && r.StartedAt == recording.StartedAt);
                if (call.Recordings[index].State != SipRecordingState.Stopped) call.Recordings[index] = recording with { State = state };
            }
        }

        lock (Calls.Sync) return wanted.Select(w => call.Recordings.Find(r => r.Path == w.Path && r.StartedAt == w.StartedAt)!).ToArray();
    }

    protected override async Task<bool> SendDtmfAsync(FreeSwitchSession session, string callId, SipDtmfRequest request, CancellationToken cancellationToken)
    {
        CallRules.CheckTones(request);
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        string milliseconds = ((int)request.Duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        // One at a time: the server queues digits without a gap of its own.
        for (int i = 0; i < request.Digits.Length; i++)
        {
            char digit = char.ToUpperInvariant(request.Digits[i]);
            if (digit == 'W')
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), Time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            FreeSwitchLeg leg;
            lock (Calls.Sync)
            {
                if (call.State is not (CallState.Connected or CallState.OnHold or CallState.Transferring)) throw WrongState(call, "SipCallNotConnected", i == 0 ? "is not connected" : $"is not connected any more; {i} of {request.Digits.Length} digits were played");
                leg = (request.Party == SipParty.From ? null : call.LegOf(SipParty.To)) ?? call.LegOf(SipParty.From) ?? throw Ended(call);
            }

            long begin = Time.GetTimestamp();
            await AskAsync(session, $"uuid_send_dtmf {Word(leg)} {digit}@{milliseconds}", "SipDtmfFailed", $"{Name} refused digit {i + 1} of {request.Digits.Length} for {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
            TimeSpan rest = request.Duration + request.Gap - Time.GetElapsedTime(begin);
            // The server answers when the digit is queued.
            if (rest > TimeSpan.Zero) await Task.Delay(rest, Time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    protected override async Task<string> GetVariableAsync(FreeSwitchSession session, string callId, string name, SipParty party, CancellationToken cancellationToken)
    {
        FreeSwitchLeg leg = LegFor(callId, name, party);
        EslReply reply = await session.Esl.RunAsync($"uuid_getvar {Word(leg)} {name}", cancellationToken).ConfigureAwait(false);
        // A value may begin with -ERR; only this is an error.
        if (reply.Text.StartsWith("-ERR No such channel", StringComparison.Ordinal)) throw Ended(leg.Call);
        if (reply.IsPermissionDenied) throw Rejected(reply, "SipVariableFailed", $"{Name} does not tell {name}", callId);
        // An empty result is no reply there.
        return reply.Text is "_undef_" or "-ERR no reply\n" ? "" : reply.Text;
    }

    protected override async Task<bool> SetVariableAsync(FreeSwitchSession session, string callId, string name, string value, SipParty party, CancellationToken cancellationToken)
    {
        FreeSwitchVariables.Check(name, "Name");
        FreeSwitchLeg leg = LegFor(callId, name, party);
        string encoded = FreeSwitchCommands.EncodeVariable(value);
        await AskAsync(session, $"uuid_setvar {Word(leg)} {name}{(encoded.Length == 0 ? "" : " " + encoded)}", "SipVariableFailed", $"{Name} does not set {name}", callId, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private FreeSwitchLeg LegFor(string callId, string name, SipParty party)
    {
        if (!CallRules.IsVariable(name)) throw new SipArgumentException("Name", name, "a variable's name has letters, digits and _, and does not begin with a digit.");
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        lock (Calls.Sync) return call.LegOf(party == SipParty.To ? SipParty.To : SipParty.From) ?? throw WrongState(call, "SipNoSuchParty", $"has no {party} party");
    }

    // Within the server's folder: a path of a caller never leaves it.
    private static string Recording(FreeSwitchSession session, string path)
    {
        CallRules.CheckPath(path, session.Login.FileFormats ?? UsualFormats);
        string folder = session.Login.RecordingFolder!.TrimEnd('/', '\\');
        if (folder.AsSpan().IndexOfAny(" '\"\\\t") >= 0) throw new SipNotSupportedException($"The server's recording folder '{SipText.Printable(folder)}' has blanks or quotes in its name, which its commands do not take.", SipCapabilities.Recording);
        return folder + "/" + path;
    }

    private SipConference Room(JsonElement room) => new()
    {
        Name = Text(room, "conference_name") ?? "",
        Server = Name,
        MemberCount = room.TryGetProperty("member_count", out JsonElement count) && count.TryGetInt32(out int members) ? members : 0,
        Locked = Flag(room, "locked"),
        Recording = room.TryGetProperty("recording", out JsonElement recording) ? recording.ValueKind == JsonValueKind.True : null,
        Members = room.TryGetProperty("members", out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(m => m.ValueKind == JsonValueKind.Object && Text(m, "type") is not "recording_node").Select(Member).ToArray()
            : [],
    };

    private SipConferenceMember Member(JsonElement member)
    {
        string uuid = Text(member, "uuid") ?? "";
        member.TryGetProperty("flags", out JsonElement flags);
        FreeSwitchCall? call = _mapper.CallOf(uuid);
        return new SipConferenceMember
        {
            LegId = uuid,
            Channel = call?.Legs.Find(l => l.Id == uuid)?.Name,
            Number = Text(member, "caller_id_number"),
            CallerName = Text(member, "caller_id_name"),
            CallId = call?.CallId,
            Muted = flags.ValueKind == JsonValueKind.Object && !Flag(flags, "can_speak"),
            Admin = flags.ValueKind == JsonValueKind.Object && Flag(flags, "is_moderator"),
            Duration = member.TryGetProperty("join_time", out JsonElement joined) && joined.TryGetInt32(out int seconds) ? TimeSpan.FromSeconds(seconds) : null,
        };
    }

    // The server's commands want its number of the member; people know the leg or the channel.
    private static string MemberOf(SipConference room, string member, IReadOnlyDictionary<string, (string Room, string Member)> members)
    {
        string? leg = room.Members.FirstOrDefault(m => m.LegId == member || m.Channel == member)?.LegId;
        return leg is not null && members.TryGetValue(leg, out (string Room, string Member) known) ? known.Member : throw new SipArgumentException("Member", member, $"the leg id or channel of somebody in {room.Name}: {string.Join(", ", room.Members.Select(m => m.LegId))}.", "SipConferenceMemberNotFound");
    }

    private async Task RoomAsync(FreeSwitchSession session, string room, string command, CancellationToken cancellationToken)
    {
        EslReply reply = await session.Esl.RunAsync($"conference {room} {command}", cancellationToken).ConfigureAwait(false);
        // A part of what it says may be an error: "Stopped recording ..." comes with counts that are not.
        if (reply.IsError) throw Rejected(reply, reply.Text.Contains("not found", StringComparison.Ordinal) ? "SipConferenceNotFound" : "SipConferenceFailed", $"{Name}: {command.Split(' ')[0]} of room {room} was refused", null);
    }

    private static string? Text(JsonElement element, string name) => FreeSwitchList.Text(element, name);

    private static bool Flag(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;
}
