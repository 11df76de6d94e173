namespace IfBus.Sip;

/// <summary>
/// What can be done with a living call. Each method returns when the server's own events have shown the result, not
/// when the server took the command. All may throw <see cref="SipNotSupportedException"/> (this server, or this login,
/// cannot do it), <see cref="SipCallNotFoundException"/>, <see cref="SipCallStateException"/> (the call is not in a
/// state for it; nothing was sent), <see cref="SipArgumentException"/> (nothing was sent) and
/// <see cref="SipTimeoutException"/>.
/// </summary>
public interface ISipCallControl
{
    /// <summary>
    /// Blind: one party goes to another destination, the other is released; returns when the new pair talks. Attended:
    /// the party to be released talks with the destination first; returns, Transferring, when that has answered.
    /// </summary>
    /// <exception cref="SipTransferException">The destination does not exist, did not answer, or refused.</exception>
    Task<SipCall> TransferAsync(string callId, SipTransferRequest request, CancellationToken cancellationToken);

    /// <summary>Completes an attended transfer: the consulting party is released, and the other two talk.</summary>
    Task<SipCall> CompleteTransferAsync(string callId, CancellationToken cancellationToken);

    /// <summary>Gives an attended transfer up: the destination is released, and the first two talk again.</summary>
    Task<SipCall> CancelTransferAsync(string callId, CancellationToken cancellationToken);

    /// <summary>Puts the parties on hold, in the way that the server does it.</summary>
    Task<SipCall> HoldAsync(string callId, CancellationToken cancellationToken) => HoldAsync(callId, null, cancellationToken);

    /// <summary>Puts the parties on hold in a way that is chosen, where the server has it.</summary>
    /// <exception cref="SipRejectedException">A phone refused to be held; the parties talk as before.</exception>
    Task<SipCall> HoldAsync(string callId, SipHoldMethod? method, CancellationToken cancellationToken);

    /// <summary>Brings the parties of a call that <see cref="HoldAsync(string, SipHoldMethod?, CancellationToken)"/> holds together again.</summary>
    Task<SipCall> ResumeAsync(string callId, CancellationToken cancellationToken);

    /// <summary>Moves the parties of a call into a conference room, which is made if it is not there.</summary>
    Task<SipCall> JoinConferenceAsync(string callId, SipConferenceJoin request, CancellationToken cancellationToken);

    /// <summary>Takes the parties of a call out of their conference room. Where nothing follows for them at the server, the call ends.</summary>
    Task<SipCall> LeaveConferenceAsync(string callId, CancellationToken cancellationToken);

    /// <summary>The server's conference rooms with their members; of one room if a name is given.</summary>
    Task<IReadOnlyList<SipConference>> GetConferencesAsync(string? name, CancellationToken cancellationToken);

    /// <summary>Locks, mutes, records or empties a conference room, and returns it as it is then; null if it is gone.</summary>
    Task<SipConference?> SetConferenceAsync(string name, SipConferenceChange change, CancellationToken cancellationToken);

    /// <summary>Begins to record a call on the server.</summary>
    Task<SipRecording> StartRecordingAsync(string callId, SipRecordingRequest request, CancellationToken cancellationToken);

    /// <summary>Ends one recording of a call; all that we began if no id is given.</summary>
    Task<IReadOnlyList<SipRecording>> StopRecordingAsync(string callId, string? recordingId, CancellationToken cancellationToken);

    /// <summary>Records silence instead of the call, or the call again.</summary>
    Task<IReadOnlyList<SipRecording>> MuteRecordingAsync(string callId, string? recordingId, bool muted, CancellationToken cancellationToken);

    /// <summary>Plays DTMF digits to a party, one after the other.</summary>
    Task SendDtmfAsync(string callId, SipDtmfRequest request, CancellationToken cancellationToken);

    /// <summary>Answers a call that somebody makes to the server and that nobody has answered.</summary>
    Task<SipCall> AnswerAsync(string callId, CancellationToken cancellationToken);

    /// <summary>Refuses a call that somebody makes to the server and that nobody has answered.</summary>
    Task<SipCall> RejectAsync(string callId, HangupCause cause, CancellationToken cancellationToken);

    /// <summary>A variable of one party's leg; empty if it is not set.</summary>
    Task<string> GetVariableAsync(string callId, string name, SipParty party, CancellationToken cancellationToken);

    /// <summary>Sets a variable of one party's leg; the value is taken as it is.</summary>
    Task SetVariableAsync(string callId, string name, string value, SipParty party, CancellationToken cancellationToken);
}

/// <summary>A party of a call.</summary>
public enum SipParty
{
    /// <summary>Who called, or was called first.</summary>
    From,
    /// <summary>Who was called, or was called second.</summary>
    To,
    /// <summary>Both.</summary>
    Both,
}

/// <summary>A way to put a call on hold.</summary>
public enum SipHoldMethod
{
    /// <summary>The server connects the parties with its music, or with silence; no phone is asked.</summary>
    Media,
    /// <summary>Phones are sent a re-INVITE with a=sendonly, later with a=sendrecv.</summary>
    Reinvite,
}

/// <summary>A transfer to be made.</summary>
public sealed record SipTransferRequest
{
    /// <summary>Number or extension to go to.</summary>
    public required string To { get; init; }

    /// <summary>Where it is looked up (Asterisk: dialplan context); the connection's if null.</summary>
    public string? Context { get; init; }

    /// <summary>True: the party to be released talks with the destination first.</summary>
    public bool Attended { get; init; }

    /// <summary>Which party stays in the call, From or To.</summary>
    public SipParty Keep { get; init; } = SipParty.From;

    /// <summary>How long the destination may take to answer; the connection's ring time-out if null.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>A way into a conference room.</summary>
public sealed record SipConferenceJoin
{
    /// <summary>The room: 1 to 32 letters, digits and _ .</summary>
    public required string Conference { get; init; }

    /// <summary>Who goes in. The other party, if only one goes, is released.</summary>
    public SipParty Party { get; init; } = SipParty.Both;
}

/// <summary>What is to change in a conference room. What is null stays.</summary>
public sealed record SipConferenceChange
{
    /// <summary>Locked: nobody gets in any more.</summary>
    public bool? Locked { get; init; }

    /// <summary>Record the room on the server.</summary>
    public bool? Recording { get; init; }

    /// <summary>File of the recording, relative to the server's recording folder; the server chooses if null.</summary>
    public string? Path { get; init; }

    /// <summary>Whom the following is about: a channel, a leg's id, or null for everybody.</summary>
    public string? Member { get; init; }

    /// <summary>Muted: is not heard.</summary>
    public bool? Muted { get; init; }

    /// <summary>Put out of the room.</summary>
    public bool Kick { get; init; }
}

/// <summary>A recording to be begun.</summary>
public sealed record SipRecordingRequest
{
    /// <summary>File, relative to the server's recording folder, with one of its formats as extension.</summary>
    public required string Path { get; init; }

    /// <summary>Whose leg is recorded; both directions of it are.</summary>
    public SipParty Party { get; init; } = SipParty.From;
}

/// <summary>How a recording stands.</summary>
public enum SipRecordingState
{
    /// <summary>The server said that it has begun.</summary>
    Recording,
    /// <summary>It records silence.</summary>
    Muted,
    /// <summary>The server said that it has ended, or the call has.</summary>
    Stopped,
}

/// <summary>A recording of a call.</summary>
public sealed record SipRecording
{
    private readonly IReadOnlyList<string>? _files;

    /// <summary>The server's id.</summary>
    public required string RecordingId { get; init; }

    /// <summary>The call.</summary>
    public required string CallId { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>The file, as the server names it if it does, else as it was asked for.</summary>
    public required string Path { get; init; }

    /// <summary>All files that the server writes for it: one, or two where it does not mix what a party says with what it hears (Yate).</summary>
    public IReadOnlyList<string> Files { get => _files ?? SipList<string>.Of([Path]); init => _files = SipList<string>.Of(value); }

    /// <summary>How it stands.</summary>
    public SipRecordingState State { get; init; }

    /// <summary>When it began, UTC.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTime? StoppedAt { get; init; }

    /// <summary>How long what was recorded is; null where the server does not tell, or has not yet.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Bytes of its file, as the server counts them; null where it does not tell, or has not yet.</summary>
    public long? Size { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Path;
}

/// <summary>A conference room.</summary>
public sealed record SipConference
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>How many people are in it.</summary>
    public int MemberCount { get; init; }

    /// <summary>Nobody gets in any more.</summary>
    public bool Locked { get; init; }

    /// <summary>True if the server's events said so since we are connected; null if they said nothing.</summary>
    public bool? Recording { get; init; }

    /// <summary>Who is in it.</summary>
    public IReadOnlyList<SipConferenceMember> Members { get; init => field = SipList<SipConferenceMember>.Of(value); } = SipList<SipConferenceMember>.Empty;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Somebody in a conference room.</summary>
public sealed record SipConferenceMember
{
    /// <summary>The leg's id.</summary>
    public required string LegId { get; init; }

    /// <summary>Its channel.</summary>
    public string? Channel { get; init; }

    /// <summary>Caller id number.</summary>
    public string? Number { get; init; }

    /// <summary>Caller id name.</summary>
    public string? CallerName { get; init; }

    /// <summary>The call that the leg belongs to, if it is known.</summary>
    public string? CallId { get; init; }

    /// <summary>Is not heard.</summary>
    public bool Muted { get; init; }

    /// <summary>Has rights over the room.</summary>
    public bool Admin { get; init; }

    /// <summary>Time in the room, to the second.</summary>
    public TimeSpan? Duration { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Number is null ? Channel ?? LegId : $"{Number} ({Channel ?? LegId})";
}

/// <summary>Digits to be played.</summary>
public sealed record SipDtmfRequest
{
    /// <summary>0 to 9, *, #, A to D; w waits half a second.</summary>
    public required string Digits { get; init; }

    /// <summary>Who hears them.</summary>
    public SipParty Party { get; init; } = SipParty.To;

    /// <summary>How long each sounds, 40 ms to 5 s.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMilliseconds(120);

    /// <summary>Silence between two, 40 ms to 5 s.</summary>
    public TimeSpan Gap { get; init; } = TimeSpan.FromMilliseconds(80);
}
