using System.Security.Cryptography;
using System.Text;

namespace IfBus.Sip.Adapters;

/// <summary>A call as an adapter follows it. Changed only under the lock of its <see cref="CallTable"/>; users get snapshots.</summary>
internal abstract class TrackedCall(string callId, bool ours)
{
    private string? _uri = ours ? "if://call/" + callId : null;

    /// <summary>The server's id, ours for calls that we made.</summary>
    public string CallId { get; } = callId;

    /// <summary>True if we asked for it.</summary>
    public bool IsOurs { get; } = ours;

    /// <summary>Its place among those that the limits allow; null if there were none when it was placed.</summary>
    public CallSlot? Slot { get; init; }

    public CallState State { get; internal set; }

    public CallDirection? Direction { get; set; }

    public string? From { get; set; }

    public string? To { get; set; }

    public string? CallerId { get; set; }

    public DateTime? CreatedAt { get; set; }

    public DateTime? AnsweredAt { get; set; }

    public DateTime? EndedAt { get; set; }

    public HangupCause? Cause { get; set; }

    public int? CauseCode { get; set; }

    public int? SipStatus { get; set; }

    public string? CauseText { get; set; }

    /// <summary>The codec, where the server tells it.</summary>
    public string? Codec { get; set; }

    /// <summary>A hang-up was asked for, with this cause: what appears of the call later is ended too.</summary>
    public HangupCause? HangupWanted { get; set; }

    /// <summary>While it is hung up: the state that it had before.</summary>
    public CallState StateBeforeHangup { get; internal set; }

    /// <summary>Who waits for it to reach a state.</summary>
    public List<CallWaiter>? Waiters { get; set; }

    /// <summary>The legs to show.</summary>
    protected abstract IReadOnlyList<SipCallLeg> SnapshotLegs();

    /// <summary>More facts to show.</summary>
    protected abstract IReadOnlyDictionary<string, string>? SnapshotDetails();

    /// <summary>The call's own name. For calls of others a UUID made from server and id (RFC 9562 version 8), so that it stays the same after a reconnect.</summary>
    public string Uri(string server) => _uri ??= "if://call/" + NameUuid(server, CallId);

    /// <summary>Notes why it ended, where no event told.</summary>
    /// <param name="cause">What became of the server's calls meanwhile.</param>
    /// <param name="neverTaken">It is one of ours that the server neither took nor refused, and does not have.</param>
    public void NoteUnseenEnd(HangupCause cause, bool neverTaken = false)
    {
        Cause = cause;
        CauseText = cause switch
        {
            HangupCause.ServerShutdown => "the server shut down or restarted",
            HangupCause.ServerRestarted => "the server was restarted",
            _ when neverTaken => "the server did not say whether it took the call, and has none",
            _ => "ended while we did not see it",
        };
    }

    /// <summary>A copy for a user.</summary>
    public SipCall Snapshot(string server, SipServerType type, DateTime now)
    {
        DateTime end = EndedAt ?? now;
        SipCall call = new()
        {
            CallId = CallId,
            Uri = Uri(server),
            Server = server,
            ServerType = type,
            State = State,
            Direction = Direction,
            From = From,
            To = To,
            CallerId = CallerId,
            CreatedAt = CreatedAt,
            AnsweredAt = AnsweredAt,
            EndedAt = EndedAt,
            Duration = CreatedAt is { } created ? Positive(end - created) : null,
            BillableDuration = AnsweredAt is { } answered ? Positive(end - answered) : State == CallState.Terminated ? TimeSpan.Zero : null,
            Cause = Cause,
            CauseCode = CauseCode,
            SipStatus = SipStatus,
            CauseText = CauseText,
            Codec = Codec,
            Legs = SnapshotLegs(),
        };
        return SnapshotDetails() is { } details ? call with { Details = details } : call;
    }

    private static TimeSpan Positive(TimeSpan span) => span < TimeSpan.Zero ? TimeSpan.Zero : span;

    private static string NameUuid(string server, string callId)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(server + "\n" + callId), hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new Guid(hash[..16], bigEndian: true).ToString();
    }
}

/// <summary>Somebody who waits for a call to reach one of some states, or its end.</summary>
internal sealed class CallWaiter(IReadOnlyCollection<CallState> states)
    : TaskCompletionSource<SipCall>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>True if the wait is over in this state.</summary>
    public bool IsOver(CallState state) => state == CallState.Terminated || states.Contains(state);
}
