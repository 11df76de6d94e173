namespace IfBus.Sip.Adapters.Yate;

/// <content>Conference rooms, recordings and DTMF.</content>
internal sealed partial class YateAdapter
{
    // What the wave module writes by a file's suffix (wire/yate, record).
    private static readonly string[] Formats = ["au", "wav", "slin", "mulaw", "alaw", "gsm"];

    protected override async Task<SipCall> JoinConferenceAsync(YateSession session, string callId, SipConferenceJoin request, CancellationToken cancellationToken)
    {
        CallRules.CheckRoom(request.Conference);
        YateCall call = FindLive<YateCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        YateLeg one;
        YateLeg? other, left;
        lock (Calls.Sync)
        {
            if (call.State is not (CallState.Connected or CallState.OnHold)) throw WrongState(call, "SipCallNotConnected", "is not connected");
            CheckHasSound(call);
            one = (request.Party == SipParty.To ? call.LegOf(SipParty.To) : call.LegOf(SipParty.From)) ?? throw WrongState(call, "SipNoSuchParty", $"has no {request.Party} party");
            YateLeg? second = call.LegOf(request.Party == SipParty.To ? SipParty.From : SipParty.To);
            other = request.Party == SipParty.Both ? second : null;
            left = request.Party == SipParty.Both ? null : second;
        }

        string room = "conf/" + request.Conference;
        using CallCondition<YateCall> joined = _mapper.Conditions.When(call, _ => (InRoom(one) || one.Ended) && (other is null || InRoom(other) || other.Ended));
        if (other is not null && one.Peer == other)
        {
            // Takes the leg and its partner. Without lonely the room would drop the last one.
            await EnterAsync(session, call, one, "call.conference", "room", room, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            lock (Calls.Sync) call.Held = false;
            await EnterAsync(session, call, one, "call.execute", "callto", room, cancellationToken).ConfigureAwait(false);
            if (other is not null) await EnterAsync(session, call, other, "call.execute", "callto", room, cancellationToken).ConfigureAwait(false);
        }

        await SeenAsync(joined, () => $"{call.CallId} did not get into {request.Conference}", call, cancellationToken).ConfigureAwait(false);
        lock (Calls.Sync)
        {
            foreach (YateLeg? leg in new[] { one, other })
            {
                if (leg is { Ended: false }) leg.Room = request.Conference;
            }

            if (one.Ended) throw Ended(call);
            if (request.Party == SipParty.To) call.Primary = one;
        }

        _mapper.SetHeld(call, held: false);
        if (left is { Ended: false }) await DropAsync(session, left, YateCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
        return Shown(call);

        static bool InRoom(YateLeg leg) => leg.Media?.StartsWith("conf/", StringComparison.Ordinal) == true;
    }

    protected override async Task<SipCall> LeaveConferenceAsync(YateSession session, string callId, CancellationToken cancellationToken)
    {
        YateCall call = FindLive<YateCall>(callId);
        List<(YateLeg Leg, string Member)> members;
        lock (Calls.Sync) members = [.. call.Legs.Where(l => l is { Ended: false, Media: not null } && l.Media.StartsWith("conf/", StringComparison.Ordinal)).Select(l => (l, l.Media!))];
        if (members.Count == 0) throw WrongState(call, "SipCallNotInConference", "is in no conference room");
        using CallCondition<YateCall> left = _mapper.Conditions.When(call, _ => members.TrueForAll(m => m.Leg.Media != m.Member || m.Leg.Ended));
        // Nothing follows at this server for a party that leaves its room: it is hung up.
        foreach ((_, string member) in members) await KickAsync(session, member, cancellationToken).ConfigureAwait(false);
        await InTimeAsync(left, Configuration.RequestTimeout, () => $"{call.CallId} has not left its room", call, cancellationToken).ConfigureAwait(false);
        using CallCondition<YateCall> gone = _mapper.Conditions.When(call, _ => members.TrueForAll(m => m.Leg.Ended));
        await InTimeAsync(gone, Configuration.RequestTimeout, () => $"The parties of {call.CallId} have not ended", call, cancellationToken).ConfigureAwait(false);
        return Shown(call);
    }

    protected override async Task<IReadOnlyList<SipConference>> GetConferencesAsync(YateSession session, string? name, CancellationToken cancellationToken)
    {
        if (name is not null) CallRules.CheckRoom(name, strict: false);
        // The list of the module has the members of all rooms, and no more than their names.
        ExtModuleAnswer list = await StatusAsync(session, "conf", cancellationToken).ConfigureAwait(false);
        var rooms = YateStatus.Parse(list.Value).SelectMany(m => m.Rows)
            .Where(r => r["Address"] is { } room && (name is null || room == name))
            .GroupBy(r => r["Address"]!, StringComparer.Ordinal)
            .Select(g => (Name: g.Key, Members: g.Select(m => (Member: m, Status: StatusAsync(session, m.Id, cancellationToken))).ToArray(), Status: StatusAsync(session, "conf/" + g.Key, cancellationToken)))
            .ToArray();
        var found = new List<SipConference>(rooms.Length);
        foreach ((string room, (YateStatusRow Member, Task<ExtModuleAnswer> Status)[] members, Task<ExtModuleAnswer> status) in rooms)
        {
            var parties = new List<SipConferenceMember>(members.Length);
            bool recorded = false;
            foreach ((YateStatusRow member, Task<ExtModuleAnswer> about) in members)
            {
                // A recorder is a member that calls in by itself.
                if (member["Peer"] is not { } leg || YateNumbers.IsMedia(leg))
                {
                    recorded |= member["Peer"]?.StartsWith("wave/", StringComparison.Ordinal) == true;
                    await about.ConfigureAwait(false);
                    continue;
                }

                YateCall? call = _mapper.CallOf(leg);
                YateStatus? told = YateStatus.Parse((await about.ConfigureAwait(false)).Value).FirstOrDefault();
                parties.Add(new SipConferenceMember
                {
                    LegId = leg,
                    Channel = member.Id,
                    Number = call?.Legs.Find(l => l.Id == leg)?.Number,
                    CallId = call?.CallId,
                    Muted = told?["mute"] == "true",
                });
            }

            YateStatus? whole = YateStatus.Parse((await status.ConfigureAwait(false)).Value).FirstOrDefault();
            found.Add(new SipConference { Name = room, Server = Name, MemberCount = whole?.Number("users") ?? parties.Count, Recording = recorded, Members = [.. parties] });
        }

        return found.Where(r => r.MemberCount > 0).ToArray();
    }

    protected override async Task<SipConference?> SetConferenceAsync(YateSession session, string name, SipConferenceChange change, CancellationToken cancellationToken)
    {
        CallRules.CheckRoom(name);
        if (change.Locked is not null) throw new SipNotSupportedException($"{Name} cannot do this: Yate's conference rooms cannot be locked. Nothing was sent.", SipCapabilities.ConferenceControl) { RecommendedAction = "A room that is made with call.conference maxusers=<n> (Invoke-SipCommand) takes no more than that." };
        if (change.Path is not null && change.Recording != true) throw new SipArgumentException("Path", change.Path, "goes with -Recording $true only.");
        string path = change.Path ?? $"conference-{name}-{Calls.Now:yyyyMMdd-HHmmss}.au";
        if (change.Recording == true) CallRules.CheckPath(path, Formats);
        SipConference room = (await GetConferencesAsync(session, name, cancellationToken).ConfigureAwait(false)) is [{ } found]
            ? found
            : throw new SipRejectedException($"{Name}: there is no conference room '{name}'.", "false", errorId: "SipConferenceNotFound");
        List<SipConferenceMember> who = [.. room.Members.Where(m => change.Member is null || m.LegId == change.Member || m.Channel == change.Member)];
        if (change.Member is not null && who.Count == 0) throw new SipArgumentException("Member", change.Member, $"the leg id or channel of somebody in {name}: {string.Join(", ", room.Members.Select(m => m.LegId))}.");

        if (change.Muted is { } muted)
        {
            foreach (SipConferenceMember member in who)
            {
                ExtModuleAnswer answer = await session.Engine.SendAsync(new ExtModuleMessage("chan.control") { { "targetid", member.Channel }, { "mute", muted ? "true" : "false" } }, cancellationToken).ConfigureAwait(false);
                if (!answer.Processed) throw Rejected(answer, "SipConferenceFailed", $"{Name} refused to mute {member.LegId} in {name}", member.CallId);
            }
        }

        if (change.Recording is { } recording)
        {
            ExtModuleAnswer answer = await session.Engine.SendAsync(new ExtModuleMessage("call.conference") { { "room", "conf/" + name }, { "record", recording ? "wave/record/" + path : "-" } }, cancellationToken).ConfigureAwait(false);
            if (!answer.Processed) throw Rejected(answer, "SipConferenceFailed", $"{Name} refused to record {name}", null);
        }

        if (change.Kick)
        {
            foreach (SipConferenceMember member in who) await KickAsync(session, member.Channel!, cancellationToken).ConfigureAwait(false);
            // They are in the list until their channels are gone.
            for (int i = 0; i < 20; i++)
            {
                IReadOnlyList<SipConference> now = await GetConferencesAsync(session, name, cancellationToken).ConfigureAwait(false);
                if (now.Count == 0 || !now[0].Members.Any(m => who.Exists(w => w.LegId == m.LegId))) break;
                await Task.Delay(TimeSpan.FromMilliseconds(50), Time, cancellationToken).ConfigureAwait(false);
            }
        }

        IReadOnlyList<SipConference> rooms = await GetConferencesAsync(session, name, cancellationToken).ConfigureAwait(false);
        return rooms.Count == 0 ? null : rooms[0];
    }

    protected override async Task<SipRecording> StartRecordingAsync(YateSession session, string callId, SipRecordingRequest request, CancellationToken cancellationToken)
    {
        CallRules.CheckPath(request.Path, Formats);
        YateCall call = FindLive<YateCall>(callId);
        YateLeg leg;
        lock (Calls.Sync)
        {
            if (call.State is not (CallState.Connected or CallState.OnHold or CallState.Transferring)) throw WrongState(call, "SipCallNotConnected", "is not connected");
            CheckHasSound(call);
            leg = call.LegOf(request.Party == SipParty.To ? SipParty.To : SipParty.From) ?? throw WrongState(call, "SipNoSuchParty", $"has no {request.Party} party");
            // The engine would end the one that runs without a word.
            if (call.Recordings.Exists(r => r.State != SipRecordingState.Stopped && (r.Path == request.Path || r.RecordingId.StartsWith(leg.Id + " ", StringComparison.Ordinal)))) throw WrongState(call, "SipRecordingRuns", $"is being recorded already: Yate has one recording for each leg");
        }

        // What the party says and what it hears: two files, the engine does not mix.
        string heard = Heard(request.Path);
        ExtModuleMessage message = On(leg, "chan.record");
        message.Add("call", "wave/record/" + request.Path);
        message.Add("peer", "wave/record/" + heard);
        ExtModuleAnswer answer = await session.Engine.SendAsync(message, cancellationToken).ConfigureAwait(false);
        if (!answer.Processed) throw Rejected(answer, "SipRecordingFailed", $"{Name} refused to record {call.CallId} to {request.Path}", call.CallId);
        var recording = new SipRecording { RecordingId = $"{leg.Id} {request.Path}", CallId = call.CallId, Server = Name, Path = request.Path, Files = [request.Path, heard], State = SipRecordingState.Recording, StartedAt = Calls.Now };
        lock (Calls.Sync) call.Recordings.Add(recording);
        return recording;
    }

    protected override async Task<IReadOnlyList<SipRecording>> ChangeRecordingAsync(YateSession session, string callId, string? recordingId, SipRecordingState state, CancellationToken cancellationToken)
    {
        if (state != SipRecordingState.Stopped) throw new SipNotSupportedException($"{Name} cannot do this: Yate cannot mute a recording. Nothing was sent.", SipCapabilities.Recording) { RecommendedAction = "Stop-SipRecording, and Start-SipRecording with another path later." };
        YateCall call = FindLive<YateCall>(callId);
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

        var ended = new List<SipRecording>();
        foreach (SipRecording recording in wanted)
        {
            YateLeg? leg;
            lock (Calls.Sync) leg = call.Legs.Find(l => !l.Ended && recording.RecordingId.StartsWith(l.Id + " ", StringComparison.Ordinal));
            if (leg is not null)
            {
                ExtModuleMessage message = On(leg, "chan.record");
                message.Add("call", "-");
                message.Add("peer", "-");
                ExtModuleAnswer answer = await session.Engine.SendAsync(message, cancellationToken).ConfigureAwait(false);
                if (!answer.Processed && !leg.Ended) throw Rejected(answer, "SipRecordingFailed", $"{Name} refused to stop the recording {recording.Path}", call.CallId);
            }

            lock (Calls.Sync)
            {
                int index = call.Recordings.FindIndex(r => r.RecordingId == recording.RecordingId && r.StartedAt == recording.StartedAt);
                if (call.Recordings[index].State != SipRecordingState.Stopped) call.Recordings[index] = recording with { State = SipRecordingState.Stopped, StoppedAt = Calls.Now };
                ended.Add(call.Recordings[index]);
            }
        }

        return ended;
    }

    protected override async Task<bool> SendDtmfAsync(YateSession session, string callId, SipDtmfRequest request, CancellationToken cancellationToken)
    {
        CallRules.CheckTones(request);
        YateCall call = FindLive<YateCall>(callId);
        for (int i = 0; i < request.Digits.Length; i++)
        {
            char digit = char.ToUpperInvariant(request.Digits[i]);
            if (digit == 'W')
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), Time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            YateLeg leg;
            lock (Calls.Sync)
            {
                if (call.State is not (CallState.Connected or CallState.OnHold or CallState.Transferring)) throw WrongState(call, "SipCallNotConnected", i == 0 ? "is not connected" : $"is not connected any more; {i} of {request.Digits.Length} digits were played");
                leg = (request.Party == SipParty.From ? null : call.LegOf(SipParty.To)) ?? call.LegOf(SipParty.From) ?? throw Ended(call);
            }

            long begin = Time.GetTimestamp();
            ExtModuleAnswer answer = await session.Engine.SendAsync(new ExtModuleMessage("chan.dtmf") { { "targetid", leg.Id }, { "text", digit.ToString() } }, cancellationToken).ConfigureAwait(false);
            if (!answer.Processed) throw leg.Ended ? Ended(call) : Rejected(answer, "SipDtmfFailed", $"{Name} refused digit {i + 1} of {request.Digits.Length} for {call.CallId}", call.CallId);
            TimeSpan rest = request.Duration + request.Gap - Time.GetElapsedTime(begin);
            if (rest > TimeSpan.Zero) await Task.Delay(rest, Time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private static Task<ExtModuleAnswer> StatusAsync(YateSession session, string module, CancellationToken cancellationToken) => session.Engine.SendAsync(new ExtModuleMessage("engine.status") { { "module", module } }, cancellationToken);

    // member is conf/number; conf/NAME would end the room.
    private static Task<ExtModuleAnswer> KickAsync(YateSession session, string member, CancellationToken cancellationToken) => session.Engine.SendAsync(new ExtModuleMessage("call.drop") { { "id", member } }, cancellationToken);

    private static string Heard(string path)
    {
        int dot = path.LastIndexOf('.');
        return path[..dot] + "-heard" + path[dot..];
    }

    private async Task EnterAsync(YateSession session, YateCall call, YateLeg leg, string name, string parameter, string room, CancellationToken cancellationToken)
    {
        ExtModuleMessage message = On(leg, name);
        message.Add(parameter, room);
        message.Add("lonely", "true");
        ExtModuleAnswer answer = await session.Engine.SendAsync(message, cancellationToken).ConfigureAwait(false);
        if (!answer.Processed) throw leg.Ended ? Ended(call) : Rejected(answer, "SipConferenceFailed", $"{Name} refused to move {leg.Id} of {call.CallId} into {room}, which may be full", call.CallId);
    }
}
