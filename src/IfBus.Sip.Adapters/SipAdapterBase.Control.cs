namespace IfBus.Sip.Adapters;

/// <content>
/// Call control and the server's knowledge. An adapter overrides what its server can do, and claims it as a capability;
/// the rest is refused by the check of capabilities, with the adapter's reason, and never gets to the method.
/// </content>
internal abstract partial class SipAdapterBase<TSession>
{
    /// <inheritdoc/>
    public Task<SipCall> TransferAsync(string callId, SipTransferRequest request, CancellationToken cancellationToken) =>
        RunAsync(request.Attended ? SipCapabilities.AttendedTransfer : SipCapabilities.BlindTransfer, s => TransferAsync(s, callId, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> CompleteTransferAsync(string callId, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.AttendedTransfer, s => EndTransferAsync(s, callId, complete: true, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> CancelTransferAsync(string callId, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.AttendedTransfer, s => EndTransferAsync(s, callId, complete: false, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> HoldAsync(string callId, SipHoldMethod? method, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Hold, s => HoldAsync(s, callId, method, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> ResumeAsync(string callId, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Hold, s => ResumeAsync(s, callId, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> JoinConferenceAsync(string callId, SipConferenceJoin request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Conference, s => JoinConferenceAsync(s, callId, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> LeaveConferenceAsync(string callId, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.ConferenceControl, s => LeaveConferenceAsync(s, callId, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipConference>> GetConferencesAsync(string? name, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.ConferenceList, s => GetConferencesAsync(s, name, cancellationToken));

    /// <inheritdoc/>
    public Task<SipConference?> SetConferenceAsync(string name, SipConferenceChange change, CancellationToken cancellationToken) =>
        RunAsync(
            (change is { Locked: null, Muted: null, Kick: false } ? 0 : SipCapabilities.ConferenceControl) | (change.Recording is null ? 0 : SipCapabilities.ConferenceRecording),
            s => SetConferenceAsync(s, name, change, cancellationToken),
            measured: false);

    /// <inheritdoc/>
    public Task<SipRecording> StartRecordingAsync(string callId, SipRecordingRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Recording, s => StartRecordingAsync(s, callId, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipRecording>> StopRecordingAsync(string callId, string? recordingId, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Recording, s => ChangeRecordingAsync(s, callId, recordingId, SipRecordingState.Stopped, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipRecording>> MuteRecordingAsync(string callId, string? recordingId, bool muted, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Recording, s => ChangeRecordingAsync(s, callId, recordingId, muted ? SipRecordingState.Muted : SipRecordingState.Recording, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task SendDtmfAsync(string callId, SipDtmfRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Dtmf, s => SendDtmfAsync(s, callId, request, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> AnswerAsync(string callId, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Answer, s => AnswerAsync(s, callId, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCall> RejectAsync(string callId, HangupCause cause, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Reject, s => RejectAsync(s, callId, cause, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<string> GetVariableAsync(string callId, string name, SipParty party, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Variables, s => GetVariableAsync(s, callId, name, party, cancellationToken));

    /// <inheritdoc/>
    public Task SetVariableAsync(string callId, string name, string value, SipParty party, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Variables, s => SetVariableAsync(s, callId, name, value, party, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Registrations, s => GetRegistrationsAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Gateways, s => GetGatewaysAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<SipRegistration> AddRegistrationAsync(SipRegistrationRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.RegistrationControl, s => AddRegistrationAsync(s, request, cancellationToken));

    /// <inheritdoc/>
    public Task RemoveRegistrationAsync(string aor, string? contact, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.RegistrationControl, s => RemoveRegistrationAsync(s, aor, contact, cancellationToken));

    /// <inheritdoc/>
    public Task<SipGateway> SetGatewayAsync(string name, SipGatewayChange change, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.GatewayControl, s => SetGatewayAsync(s, name, change, cancellationToken));

    /// <inheritdoc/>
    public Task ReloadGatewaysAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.GatewayControl, s => ReloadGatewaysAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipQueue>> GetQueuesAsync(string? name, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Queues, s => GetQueuesAsync(s, name, cancellationToken));

    /// <inheritdoc/>
    public Task<SipStatistic> GetStatisticsAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Statistics, s => GetStatisticsAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<SipRoute> RegisterRouteAsync(SipRouteRequest request, Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> decide, Action? released, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.Routing, s => RegisterRouteAsync(s, request, decide, released, cancellationToken), measured: false);

    /// <inheritdoc/>
    public virtual Task<SipRoute> UnregisterRouteAsync(string name, CancellationToken cancellationToken) => throw new SipArgumentException("Name", name, $"{Name} has no routes of ours.");

    /// <inheritdoc/>
    public virtual IReadOnlyList<SipRoute> Routes => [];

    /// <inheritdoc/>
    public IReadOnlyList<SipCall> EndedCalls => Calls.SnapshotEnded();

    protected virtual Task<SipCall> TransferAsync(TSession session, string callId, SipTransferRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCall> EndTransferAsync(TSession session, string callId, bool complete, CancellationToken cancellationToken) => throw NotClaimed();

    /// <summary>How the server holds, where it has one way.</summary>
    protected virtual SipHoldMethod HoldMethod => SipHoldMethod.Media;

    protected virtual Task<SipCall> HoldAsync(TSession session, string callId, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCall> HoldAsync(TSession session, string callId, SipHoldMethod? method, CancellationToken cancellationToken) => method is null || method == HoldMethod
        ? HoldAsync(session, callId, cancellationToken)
        : throw new SipNotSupportedException($"{Name} cannot do this: {Type} holds by {(HoldMethod == SipHoldMethod.Media ? "media" : "re-INVITE")} only. Nothing was sent.", SipCapabilities.Hold) { CallId = callId };

    protected virtual Task<SipCall> ResumeAsync(TSession session, string callId, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCall> JoinConferenceAsync(TSession session, string callId, SipConferenceJoin request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCall> LeaveConferenceAsync(TSession session, string callId, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipConference>> GetConferencesAsync(TSession session, string? name, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipConference?> SetConferenceAsync(TSession session, string name, SipConferenceChange change, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipRecording> StartRecordingAsync(TSession session, string callId, SipRecordingRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipRecording>> ChangeRecordingAsync(TSession session, string callId, string? recordingId, SipRecordingState state, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> SendDtmfAsync(TSession session, string callId, SipDtmfRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCall> AnswerAsync(TSession session, string callId, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipCall> RejectAsync(TSession session, string callId, HangupCause cause, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<string> GetVariableAsync(TSession session, string callId, string name, SipParty party, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> SetVariableAsync(TSession session, string callId, string name, string value, SipParty party, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(TSession session, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(TSession session, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipRegistration> AddRegistrationAsync(TSession session, SipRegistrationRequest request, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> RemoveRegistrationAsync(TSession session, string aor, string? contact, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipGateway> SetGatewayAsync(TSession session, string name, SipGatewayChange change, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<bool> ReloadGatewaysAsync(TSession session, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<IReadOnlyList<SipQueue>> GetQueuesAsync(TSession session, string? name, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipStatistic> GetStatisticsAsync(TSession session, CancellationToken cancellationToken) => throw NotClaimed();

    protected virtual Task<SipRoute> RegisterRouteAsync(TSession session, SipRouteRequest request, Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> decide, Action? released, CancellationToken cancellationToken) => throw NotClaimed();

    private static InvalidOperationException NotClaimed() => new("An adapter claims a capability that it does not have.");
}
