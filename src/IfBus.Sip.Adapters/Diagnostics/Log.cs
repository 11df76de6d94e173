using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Diagnostics;

/// <summary>
/// Every log message of the adapters. Ranges: 1000 connection, 1100 session and protocol, 1200 calls, 1300 events.
/// Never a secret; phone numbers only at Trace.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "Connecting to {Server} at {Host}:{Port} (TLS: {Tls}).")]
    public static partial void Connecting(ILogger log, string server, string host, int port, bool tls);

    [LoggerMessage(1001, LogLevel.Information, "Connected to {Server}: {Version}.")]
    public static partial void Connected(ILogger log, string server, string? version);

    [LoggerMessage(1002, LogLevel.Warning, "The connection to {Server} was lost: {Reason}")]
    public static partial void ConnectionLost(ILogger log, string server, string reason);

    [LoggerMessage(1003, LogLevel.Information, "Trying again to reach {Server} in {Delay} (attempt {Attempt}).")]
    public static partial void Reconnecting(ILogger log, string server, TimeSpan delay, int attempt);

    [LoggerMessage(1004, LogLevel.Debug, "Attempt {Attempt} to reach {Server} failed: {Reason}")]
    public static partial void ReconnectFailed(ILogger log, string server, int attempt, string reason);

    [LoggerMessage(1005, LogLevel.Error, "Gave up on {Server}: {Reason}")]
    public static partial void GaveUp(ILogger log, string server, string reason);

    [LoggerMessage(1006, LogLevel.Information, "Disconnected from {Server}.")]
    public static partial void Disconnected(ILogger log, string server);

    [LoggerMessage(1007, LogLevel.Warning, "The secret for {Server} crosses the network in clear text or as MD5: {Host} is not this machine and TLS is off.")]
    public static partial void ClearText(ILogger log, string server, string host);

    [LoggerMessage(1008, LogLevel.Warning, "{Server} has no password and no TLS: whoever reaches {Host}:{Port} controls it. Keep the port on its own machine, or behind a tunnel or firewall.")]
    public static partial void NoProtection(ILogger log, string server, string host, int port);

    [LoggerMessage(1010, LogLevel.Warning, "{Server}: {Count} calls in a row failed by its fault. For {CoolDown} it is not chosen where several servers are named; then one call tries it.")]
    public static partial void CircuitOpened(ILogger log, string server, int count, TimeSpan coolDown);

    [LoggerMessage(1011, LogLevel.Information, "{Server} takes calls again and is chosen as any other.")]
    public static partial void CircuitClosed(ILogger log, string server);

    [LoggerMessage(1100, LogLevel.Trace, "Sent {Action} (id {Id}).")]
    public static partial void ActionSent(ILogger log, string action, long id);

    [LoggerMessage(1101, LogLevel.Debug, "A response that is nobody's was dropped: {Message}")]
    public static partial void StrayResponse(ILogger log, string message);

    [LoggerMessage(1102, LogLevel.Debug, "The reply to request {Id} came too late and was dropped.")]
    public static partial void LateReply(ILogger log, long id);

    [LoggerMessage(1103, LogLevel.Debug, "{Server} has not said FullyBooted; waiting until its modules are loaded.")]
    public static partial void WaitingForBoot(ILogger log, string server);

    [LoggerMessage(1104, LogLevel.Debug, "{Server} took no filter: {Message}")]
    public static partial void FilterRefused(ILogger log, string server, string message);

    [LoggerMessage(1105, LogLevel.Warning, "{Server}: this login is not sent the events that calls are followed by (Asterisk: read class call; FreeSWITCH: esl-allowed-events); the outcome of calls cannot be seen.")]
    public static partial void NoCallEvents(ILogger log, string server);

    [LoggerMessage(1109, LogLevel.Warning, "{Server} took a call and told nothing of it: in manager.conf this login's read= lacks class call, or a filter keeps events from it. Calls are followed by their list, asked for every second (it may list them: {May}); why they end is not in it.")]
    public static partial void FollowedByAsking(ILogger log, string server, bool may);

    [LoggerMessage(1111, LogLevel.Warning, "{Peer}: something inside a list that is no part of it was dropped; the arguments of an application, or a variable, there hold line breaks. It begins with: {Message}")]
    public static partial void ForgedInList(ILogger log, string peer, string message);

    [LoggerMessage(1106, LogLevel.Information, "{Server} takes no more requests for now; going on in {Wait}.")]
    public static partial void RateLimited(ILogger log, string server, TimeSpan wait);

    [LoggerMessage(1107, LogLevel.Trace, "{Server} answered {Request}: {Status}.")]
    public static partial void Answered(ILogger log, string server, string request, int status);

    [LoggerMessage(1108, LogLevel.Warning, "{Server} keeps no password for {Account}: the space has no password settings yet (web panel). Nobody can log in with it.")]
    public static partial void NoPassword(ILogger log, string server, string account);

    [LoggerMessage(1110, LogLevel.Debug, "{Server} takes no second connection, so calls are made over the first: {Message}")]
    public static partial void NoSecondConnection(ILogger log, string server, string message);

    [LoggerMessage(1200, LogLevel.Debug, "Call {CallId} on {Server}: {From} to {To}.")]
    public static partial void CallState(ILogger log, string callId, string server, CallState from, CallState to);

    [LoggerMessage(1201, LogLevel.Debug, "Call {CallId} on {Server}: {From} to {To} is not a step that exists; not applied.")]
    public static partial void TransitionRefused(ILogger log, string callId, string server, CallState from, CallState to);

    [LoggerMessage(1202, LogLevel.Debug, "Call {CallId} on {Server} ended: {Cause} ({CauseText}).")]
    public static partial void CallEnded(ILogger log, string callId, string server, HangupCause? cause, string? causeText);

    [LoggerMessage(1203, LogLevel.Information, "{Server}: {Found} live calls after the connection came back, {Gone} ended unseen.")]
    public static partial void Reconciled(ILogger log, string server, int found, int gone);

    [LoggerMessage(1204, LogLevel.Debug, "Call {CallId} on {Server}: what the destination does could not be asked: {Message}")]
    public static partial void DestinationNotAsked(ILogger log, string callId, string server, string message);

    [LoggerMessage(1206, LogLevel.Warning, "{Server}: this login may not use Status (in manager.conf its write= needs class call, reporting or system), so a call to an extension that dials nobody is not seen to connect: it stays as it is until it ends. Calls that are dialled on connect as always.")]
    public static partial void CannotAskDestinations(ILogger log, string server);

    [LoggerMessage(1207, LogLevel.Warning, "{Server}: this login may not list its calls (in manager.conf its write= needs class reporting or system), so what became of {Count} while the connection was lost is not known: each stays as it was until its events tell.")]
    public static partial void NotReconciled(ILogger log, string server, int count);

    [LoggerMessage(1205, LogLevel.Warning, "{Server}: route {Route}: {Reason}; the server's own routing decided.")]
    public static partial void RouteFailed(ILogger log, string server, string route, string reason);

    [LoggerMessage(1300, LogLevel.Warning, "{Server}: a subscriber is too slow; events are being dropped for it.")]
    public static partial void SubscriberTooSlow(ILogger log, string server);

    [LoggerMessage(1301, LogLevel.Error, "{Server}: {Work} failed.")]
    public static partial void WorkFailed(ILogger log, Exception exception, string server, string work);

    [LoggerMessage(1302, LogLevel.Warning, "{Server} sent an event that is no JSON: {Message}")]
    public static partial void BrokenEvent(ILogger log, string server, string message);

    [LoggerMessage(1310, LogLevel.Warning, "{Server}: somebody at {Address}, who is not the server, was refused at the port for its events.")]
    public static partial void EventsRefused(ILogger log, string server, System.Net.IPAddress address);

    [LoggerMessage(1311, LogLevel.Warning, "{Server}: its event stream was closed by us: {Message}")]
    public static partial void EventsMalformed(ILogger log, string server, string message);

    [LoggerMessage(1312, LogLevel.Warning, "{Server}: its event stream ended; what it tells until it connects again may be lost, so its calls are read.")]
    public static partial void StreamLost(ILogger log, string server);

    [LoggerMessage(1313, LogLevel.Warning, "{Server} does not send its event {Event}: {Message}")]
    public static partial void EventNotTold(ILogger log, string server, string @event, string message);

    [LoggerMessage(1314, LogLevel.Warning, "{Server} tells no call events here; its calls are asked for every {Interval}.")]
    public static partial void Polling(ILogger log, string server, TimeSpan interval);
}
