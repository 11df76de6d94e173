using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <content>Conference rooms, recordings, DTMF and variables.</content>
internal sealed partial class AsteriskAdapter
{

    // The server takes any extension and records nothing for one that it does not know; these every build has.
    private static readonly string[] Formats = ["wav", "wav16", "WAV", "wav49", "gsm", "ulaw", "alaw", "sln", "sln16", "g722"];

    protected override async Task<SipCall> JoinConferenceAsync(AsteriskSession session, string callId, SipConferenceJoin request, CancellationToken cancellationToken)
    {
        CallRules.CheckRoom(request.Conference);
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        AsteriskLeg? one, other;
        lock (Calls.Sync)
        {
            if (call.State is not (CallState.Connected or CallState.OnHold)) throw WrongState(call, "SipCallNotConnected", "is not connected");
            one = request.Party == SipParty.To ? call.LegOf(SipParty.To) : call.LegOf(SipParty.From);
            other = request.Party == SipParty.Both ? call.LegOf(SipParty.To) : null;
            if (one is null) throw WrongState(call, "SipNoSuchParty", $"has no {request.Party} party");
            CheckMovable(call, one, other);
        }

        await CheckOpenAsync(session, call, request.Conference, cancellationToken).ConfigureAwait(false);
        await AsteriskDialplan.EnsureAsync(session, Name, SipCapabilities.Conference, cancellationToken).ConfigureAwait(false);
        string exten = AsteriskDialplan.Room(request.Conference);
        using CallCondition<AsteriskCall> joined = _mapper.Conditions.When(call, _ => one.Room == request.Conference && (other is null || other.Ended || other.Room == request.Conference));
        AmiAction action = other is null ? Redirect(one, AsteriskDialplan.Context, exten) : RedirectBoth(one, other, AsteriskDialplan.Context, exten);
        await AskAsync(session.Ami, action, "SipConferenceFailed", $"{Name} refused to move {call.CallId} into {request.Conference}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(joined, () => $"{call.CallId} did not get into {request.Conference}", call, cancellationToken).ConfigureAwait(false);
        lock (Calls.Sync) one.NoDialplan = false;
        return Shown(call);
    }

    protected override async Task<SipCall> LeaveConferenceAsync(AsteriskSession session, string callId, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        List<AsteriskLeg> legs;
        lock (Calls.Sync) legs = call.Legs.FindAll(l => l is { Ended: false, Room: not null });
        if (legs.Count == 0) throw WrongState(call, "SipCallNotInConference", "is in no conference room");
        using CallCondition<AsteriskCall> left = _mapper.Conditions.When(call, _ => legs.TrueForAll(l => l.Room is null || l.Ended));
        foreach (AsteriskLeg leg in legs)
        {
            AmiReply reply = await session.Ami.RequestAsync(new AmiAction("ConfbridgeKick").Add("Conference", leg.Room!).Add("Channel", leg.Name ?? leg.Id), cancellationToken).ConfigureAwait(false);
            if (!reply.IsSuccess && !leg.Ended) throw Rejected(reply, "SipConferenceFailed", $"{Name} refused to take {leg.Name} out of {leg.Room}", call.CallId);
        }

        await InTimeAsync(left, Configuration.RequestTimeout, () => $"{call.CallId} has not left its room", call, cancellationToken).ConfigureAwait(false);
        // Where its dialplan ends with the room, as in our own extension, its Hangup comes at once; elsewhere it goes on.
        using CallCondition<AsteriskCall> gone = _mapper.Conditions.When(call, _ => false);
        await GiveTimeAsync(gone.Task, TimeSpan.FromMilliseconds(500), cancellationToken).ConfigureAwait(false);
        return Shown(call);
    }

    protected override async Task<IReadOnlyList<SipConference>> GetConferencesAsync(AsteriskSession session, string? name, CancellationToken cancellationToken)
    {
        if (name is not null) CallRules.CheckRoom(name, strict: false);
        var found = new List<SipConference>();
        foreach (AmiMessage room in await RoomsAsync(session, cancellationToken).ConfigureAwait(false))
        {
            string? called = room.Get("Conference"u8);
            if (called is null || (name is not null && called != name)) continue;
            AmiReply people = await session.Ami.RequestAsync(new AmiAction("ConfbridgeList").Add("Conference", called), cancellationToken).ConfigureAwait(false);
            // It may have ended between the questions.
            if (!people.IsSuccess) continue;
            found.Add(new SipConference
            {
                Name = called,
                Server = Name,
                // Parties of the list of rooms; BridgeNumChannels would count announcer and recorder too.
                MemberCount = people.Items.Count,
                Locked = IsLocked(room),
                Recording = _mapper.IsRecorded(called),
                Members = people.Items.Select(Member).ToArray(),
            });
        }

        return found;
    }

    protected override async Task<SipConference?> SetConferenceAsync(AsteriskSession session, string name, SipConferenceChange change, CancellationToken cancellationToken)
    {
        CallRules.CheckRoom(name, strict: false);
        if (change.Path is not null && change.Recording != true) throw new SipArgumentException("Path", change.Path, "goes with -Recording $true only.");
        if (change.Path is { } path) CallRules.CheckPath(path, Formats);
        if (string.IsNullOrWhiteSpace(change.Member ?? "one")) throw new SipArgumentException("Member", change.Member, "the channel or the leg id of one member; for everybody it is left out.");
        string who = change.Member is { } member && (change.Muted is not null || change.Kick) ? await MemberOfAsync(session, name, member, cancellationToken).ConfigureAwait(false) : "all";
        if (change.Locked is { } locked) await ConferenceAsync(session, new AmiAction(locked ? "ConfbridgeLock" : "ConfbridgeUnlock").Add("Conference", name, "Name"), name, cancellationToken).ConfigureAwait(false);
        if (change.Muted is { } muted) await ConferenceAsync(session, new AmiAction(muted ? "ConfbridgeMute" : "ConfbridgeUnmute").Add("Conference", name, "Name").Add("Channel", who, "Member"), name, cancellationToken).ConfigureAwait(false);
        if (change.Recording is { } recorded)
        {
            AmiAction record = new AmiAction(recorded ? "ConfbridgeStartRecord" : "ConfbridgeStopRecord").Add("Conference", name, "Name");
            if (change.Path is { } file) record.Add("RecordFile", file, "Path");
            using CallCondition<AsteriskCall>? told = _mapper.WhenRecorded(name, recorded);
            await ConferenceAsync(session, record, name, cancellationToken).ConfigureAwait(false);
            if (told is not null) await GiveTimeAsync(told.Task, TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
        }

        if (change.Kick) await ConferenceAsync(session, new AmiAction("ConfbridgeKick").Add("Conference", name, "Name").Add("Channel", who, "Member"), name, cancellationToken).ConfigureAwait(false);
        // Who may change a room need not be one who may look into it.
        if (!session.Capabilities.HasFlag(SipCapabilities.ConferenceList)) return null;
        IReadOnlyList<SipConference> rooms = await GetConferencesAsync(session, name, cancellationToken).ConfigureAwait(false);
        return rooms.Count == 0 ? null : rooms[0];
    }

    protected override async Task<SipRecording> StartRecordingAsync(AsteriskSession session, string callId, SipRecordingRequest request, CancellationToken cancellationToken)
    {
        CallRules.CheckPath(request.Path, Formats);
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        AsteriskLeg leg;
        int before;
        lock (Calls.Sync)
        {
            if (call.State is not (CallState.Connected or CallState.OnHold or CallState.Transferring)) throw WrongState(call, "SipCallNotConnected", "is not connected");
            leg = call.LegOf(request.Party == SipParty.To ? SipParty.To : SipParty.From) ?? throw WrongState(call, "SipNoSuchParty", $"has no {request.Party} party");
            before = leg.RecordingsBegun;
        }

        using CallCondition<AsteriskCall> begun = _mapper.Conditions.When(call, _ => leg.RecordingsBegun > before || leg.Ended);
        // Without i(VAR) the server does not tell the id.
        AmiReply reply = await AskAsync(
            session.Ami, new AmiAction("MixMonitor").Add("Channel", leg.Id).Add("File", request.Path, "Path").Add("Options", "i(IFBUS_RECORDING)"),
            "SipRecordingFailed", $"{Name} refused to record {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        string id = reply.Response.Get("MixMonitorID"u8) ?? throw new SipProtocolException($"{Name} gave no id for the recording of {call.CallId}.", errorId: "SipRecordingFailed");
        if (!await InTimeAsync(begun, Configuration.RequestTimeout, () => $"{Name} took the recording of {call.CallId}, and did not say that it began", call, cancellationToken).ConfigureAwait(false) || leg.Ended) throw Ended(call);

        string path = session.Commands.Contains("Getvar") && await FileOfAsync(session, leg, cancellationToken).ConfigureAwait(false) is { Length: > 0 } full ? full : request.Path;
        var recording = new SipRecording { RecordingId = id, CallId = call.CallId, Server = Name, Path = path, State = SipRecordingState.Recording, StartedAt = Calls.Now };
        lock (Calls.Sync) call.Recordings.Add(new AsteriskRecording(leg) { Shown = recording });
        return recording;
    }

    protected override async Task<IReadOnlyList<SipRecording>> ChangeRecordingAsync(AsteriskSession session, string callId, string? recordingId, SipRecordingState state, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        List<AsteriskRecording> wanted;
        lock (Calls.Sync)
        {
            wanted = call.Recordings.FindAll(r => r.Runs && (recordingId is null || r.Shown.RecordingId == recordingId));
            if (wanted.Count > 0 && state != SipRecordingState.Stopped && !session.MutesById) CheckAlone(call, wanted);
        }

        if (wanted.Count == 0)
        {
            throw new SipCallStateException(
                recordingId is null ? $"Call {call.CallId} on {Name} has no recording of ours that runs." : $"Call {call.CallId} on {Name} has no running recording '{SipText.Printable(recordingId)}' of ours.", call.State, "SipNotRecording")
            {
                CallId = call.CallId,
            };
        }

        var changed = new List<SipRecording>();
        foreach (AsteriskRecording recording in wanted)
        {
            if (state == SipRecordingState.Stopped) await StopAsync(session, call, recording, cancellationToken).ConfigureAwait(false);
            else await MuteAsync(session, call, recording, state == SipRecordingState.Muted, cancellationToken).ConfigureAwait(false);
            lock (Calls.Sync)
            {
                // It may have ended with its leg meanwhile.
                if (recording.Runs) recording.Shown = recording.Shown with { State = state, StoppedAt = state == SipRecordingState.Stopped ? Calls.Now : null };
                changed.Add(recording.Shown);
            }
        }

        return changed;
    }

    protected override async Task<bool> SendDtmfAsync(AsteriskSession session, string callId, SipDtmfRequest request, CancellationToken cancellationToken)
    {
        CallRules.CheckTones(request);
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        AmiSession second = await session.SecondAsync(cancellationToken).ConfigureAwait(false);
        string milliseconds = ((int)request.Duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        for (int i = 0; i < request.Digits.Length; i++)
        {
            if (i > 0) await Task.Delay(request.Gap, Time, cancellationToken).ConfigureAwait(false);
            char digit = char.ToUpperInvariant(request.Digits[i]);
            if (digit == 'W')
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), Time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            AsteriskLeg leg;
            lock (Calls.Sync)
            {
                if (call.State is not (CallState.Connected or CallState.OnHold or CallState.Transferring)) throw WrongState(call, "SipCallNotConnected", i == 0 ? "is not connected" : $"is not connected any more; {i} of {request.Digits.Length} digits were played");
                leg = (request.Party == SipParty.From ? null : call.LegOf(SipParty.To)) ?? call.LegOf(SipParty.From) ?? throw Ended(call);
            }

            // The reply comes when the digit has sounded.
            await AskAsync(
                second, new AmiAction("PlayDTMF").Add("Channel", leg.Name ?? leg.Id).Add("Digit", digit.ToString()).Add("Duration", milliseconds),
                "SipDtmfFailed", $"{Name} refused digit {i + 1} of {request.Digits.Length} for {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    protected override async Task<string> GetVariableAsync(AsteriskSession session, string callId, string name, SipParty party, CancellationToken cancellationToken)
    {
        AsteriskLeg leg = LegFor(FindLive<AsteriskCall>(callId), name, party);
        // Its value may look like events (wire/asterisk, section 9): on the second connection none are taken.
        AmiSession second = await session.SecondAsync(cancellationToken).ConfigureAwait(false);
        AmiReply reply = await AskAsync(
            second, new AmiAction("Getvar").Add("Channel", leg.Id).Add("Variable", name, "Name"), "SipVariableFailed", $"{Name} does not tell {name}", callId, cancellationToken).ConfigureAwait(false);
        return reply.Response.Get("Value"u8) ?? "";
    }

    protected override async Task<bool> SetVariableAsync(AsteriskSession session, string callId, string name, string value, SipParty party, CancellationToken cancellationToken)
    {
        AsteriskLeg leg = LegFor(FindLive<AsteriskCall>(callId), name, party);
        await AskAsync(
            session.Ami, new AmiAction("Setvar").Add("Channel", leg.Id).Add("Variable", name, "Name").Add("Value", value, "Value"), "SipVariableFailed", $"{Name} does not set {name}", callId, cancellationToken).ConfigureAwait(false);
        return true;
    }

    // Where a recording goes, as the server says it; null if it does not. The recording has begun in any case.
    private static async Task<string?> FileOfAsync(AsteriskSession session, AsteriskLeg leg, CancellationToken cancellationToken)
    {
        try
        {
            AmiSession second = await session.SecondAsync(cancellationToken).ConfigureAwait(false);
            AmiReply named = await second.RequestAsync(new AmiAction("Getvar").Add("Channel", leg.Id).Add("Variable", "MIXMONITOR_FILENAME"), cancellationToken).ConfigureAwait(false);
            return named.IsSuccess ? named.Response.Get("Value"u8) : null;
        }
        catch (SipException)
        {
            return null;
        }
    }

    private AsteriskLeg LegFor(AsteriskCall call, string name, SipParty party)
    {
        // A function such as SHELL() is not a variable.
        if (!CallRules.IsVariable(name)) throw new SipArgumentException("Name", name, CallRules.VariableRule + ".");
        lock (Calls.Sync) return call.LegOf(party == SipParty.To ? SipParty.To : SipParty.From) ?? throw WrongState(call, "SipNoSuchParty", $"has no {party} party");
    }

    private SipConferenceMember Member(AmiMessage item) => new()
    {
        LegId = item.Get("Uniqueid"u8) ?? "",
        Channel = item.Get("Channel"u8),
        Number = AmiChannelFields.Text(item.Find("CallerIDNum"u8)),
        CallerName = AmiChannelFields.Text(item.Find("CallerIDName"u8)),
        CallId = _mapper.CallOf(item.Find("Uniqueid"u8))?.CallId,
        Muted = item.Find("Muted"u8).SequenceEqual("Yes"u8),
        Admin = item.Find("Admin"u8).SequenceEqual("Yes"u8),
        Duration = AmiChannelFields.Number32(item.Find("AnsweredTime"u8)) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };

    private static bool IsLocked(AmiMessage room) => room.Find("Locked"u8).SequenceEqual("Yes"u8);

    private async Task<IReadOnlyList<AmiMessage>> RoomsAsync(AsteriskSession session, CancellationToken cancellationToken)
    {
        AmiReply rooms = await session.Ami.RequestAsync(new AmiAction("ConfbridgeListRooms"), cancellationToken).ConfigureAwait(false);
        if (rooms.IsSuccess) return rooms.Items;
        // An empty list is an error there.
        if (rooms.Message.Contains("No active conferences", StringComparison.OrdinalIgnoreCase)) return [];
        throw Rejected(rooms, "SipRejected", $"{Name} does not list its conference rooms", null);
    }

    // Asked before anything is moved: whom a locked room does not let in is hung up.
    private async Task CheckOpenAsync(AsteriskSession session, AsteriskCall call, string room, CancellationToken cancellationToken)
    {
        foreach (AmiMessage there in await RoomsAsync(session, cancellationToken).ConfigureAwait(false))
        {
            if (!there.Find("Conference"u8).SequenceEqual(System.Text.Encoding.UTF8.GetBytes(room)) || !IsLocked(there)) continue;
            throw new SipCallStateException($"Room {room} on {Name} is locked, so {call.CallId} was not moved. Nothing was changed.", call.State, "SipConferenceLocked")
            {
                CallId = call.CallId,
                RecommendedAction = $"Set-SipConference {room} -Locked $false opens it.",
            };
        }
    }

    // The channel of one member. The server knows channels by name only, mutes the first whose name begins with what it is
    // given, and takes the words all and participants for everybody (16.28, 22.10): so only a whole name is sent.
    private async Task<string> MemberOfAsync(AsteriskSession session, string room, string member, CancellationToken cancellationToken)
    {
        if (!session.Capabilities.HasFlag(SipCapabilities.ConferenceList)) throw NotSupported(session, SipCapabilities.ConferenceList);
        IReadOnlyList<SipConference> rooms = await GetConferencesAsync(session, room, cancellationToken).ConfigureAwait(false);
        if (rooms.Count == 0) throw new SipRejectedException($"{Name} has no room {SipText.Printable(room)}. Nothing was changed.", "", errorId: "SipConferenceNotFound");
        return rooms[0].Members.FirstOrDefault(m => m.LegId == member || m.Channel == member)?.Channel
            ?? throw new SipArgumentException("Member", member, $"nobody in room {SipText.Printable(room)} has this channel or leg id; Get-SipConference lists who is in it.", "SipConferenceMemberNotFound");
    }

    private async Task ConferenceAsync(AsteriskSession session, AmiAction action, string room, CancellationToken cancellationToken)
    {
        AmiReply reply = await session.Ami.RequestAsync(action, cancellationToken).ConfigureAwait(false);
        if (reply.IsSuccess) return;
        bool unknown = reply.Message.Contains("No Conference by that name", StringComparison.OrdinalIgnoreCase) || reply.Message.Contains("No active conferences", StringComparison.OrdinalIgnoreCase);
        throw Rejected(reply, unknown ? "SipConferenceNotFound" : "SipConferenceFailed", $"{Name}: {action.Name} of room {SipText.Printable(room)} was refused", null);
    }

    // A server that knows no ids there mutes the first recording of a leg, whichever was meant. Under the lock.
    private void CheckAlone(AsteriskCall call, List<AsteriskRecording> wanted)
    {
        foreach (AsteriskRecording recording in wanted)
        {
            // What others record of the leg counts too: events tell of it.
            int beside = Math.Max(recording.Leg.RecordingsBegun - recording.Leg.RecordingsEnded, call.Recordings.Count(r => r.Runs && r.Leg == recording.Leg)) - 1;
            if (beside <= 0) continue;
            throw new SipCallStateException(
                $"{recording.Leg.Name} of call {call.CallId} on {Name} is recorded {beside + 1} times, and this server cannot mute one of several recordings of a leg. Nothing was sent.", call.State, "SipRecordingNotAlone")
            {
                CallId = call.CallId,
                RecommendedAction = "Record each leg once, or stop the other recordings of the leg first (Stop-SipRecording -RecordingId).",
            };
        }
    }

    private async Task StopAsync(AsteriskSession session, AsteriskCall call, AsteriskRecording recording, CancellationToken cancellationToken)
    {
        int before;
        lock (Calls.Sync) before = call.Legs.Sum(l => l.RecordingsEnded);
        using CallCondition<AsteriskCall> stopped = _mapper.Conditions.When(call, c => c.Legs.Sum(l => l.RecordingsEnded) > before);
        AmiReply reply = await OnItsLegAsync(
            call, recording, others: true, l => session.Ami.RequestAsync(new AmiAction("StopMixMonitor").Add("Channel", l.Id).Add("MixMonitorID", recording.Shown.RecordingId), cancellationToken)).ConfigureAwait(false);
        if (!reply.IsSuccess) throw Rejected(reply, "SipRecordingFailed", $"{Name} refused to end the recording {recording.Shown.RecordingId}", call.CallId);
        await InTimeAsync(stopped, Configuration.RequestTimeout, () => $"{Name} took the end of the recording, and did not say that it ended", call, cancellationToken).ConfigureAwait(false);
    }

    // The id is sent always; a server that does not know it leaves it out of account.
    private async Task MuteAsync(AsteriskSession session, AsteriskCall call, AsteriskRecording recording, bool muted, CancellationToken cancellationToken)
    {
        AmiReply reply = await OnItsLegAsync(call, recording, others: session.MutesById, l => session.Ami.RequestAsync(
            new AmiAction("MixMonitorMute").Add("Channel", l.Id).Add("Direction", "both").Add("State", muted ? "1" : "0").Add("MixMonitorID", recording.Shown.RecordingId), cancellationToken)).ConfigureAwait(false);
        if (!reply.IsSuccess) throw Rejected(reply, "SipRecordingFailed", $"{Name} refused to mute the recording {recording.Shown.RecordingId}", call.CallId);
    }

    // A recording is on one leg. Where its id tells it from others, it is looked for on the other legs too: it may have changed hands by a transfer.
    private async Task<AmiReply> OnItsLegAsync(AsteriskCall call, AsteriskRecording recording, bool others, Func<AsteriskLeg, Task<AmiReply>> send)
    {
        List<AsteriskLeg> legs;
        lock (Calls.Sync) legs = call.Legs.FindAll(l => l is { Seen: true, Ended: false } && (others || l == recording.Leg));
        AmiReply last = default;
        foreach (AsteriskLeg leg in legs.OrderByDescending(l => l == recording.Leg))
        {
            last = await send(leg).ConfigureAwait(false);
            if (last.IsSuccess) return last;
        }

        return last.Response is null ? throw Ended(call) : last;
    }
}
