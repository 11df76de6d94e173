using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>Takes events, on the session's reader.</summary>
internal interface IEslEventSink
{
    /// <summary>One event: its name, and its JSON, which holds only until the return.</summary>
    void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json);

    /// <summary>The events of one read follow.</summary>
    void OnReadBegins();

    /// <summary>All events of the read were given.</summary>
    void OnReadEnds();
}

/// <summary>What came back for a command.</summary>
/// <param name="Text">Reply-Text, or the body of an api/response, or a job's output.</param>
/// <param name="Head">The reply's header lines; empty for a job.</param>
internal readonly record struct EslReply(string Text, string Head)
{
    /// <summary>The server refused it. An api command may also answer with plain data.</summary>
    public bool IsError => Text.StartsWith("-ERR", StringComparison.Ordinal) || Text.StartsWith("-USAGE", StringComparison.Ordinal);

    /// <summary>The login may not do it.</summary>
    public bool IsPermissionDenied => Text.StartsWith("-ERR permission denied", StringComparison.Ordinal);

    /// <summary>What follows -ERR or +OK, without the line's end.</summary>
    public string Message
    {
        get
        {
            string text = Text.Trim();
            return text.StartsWith("-ERR", StringComparison.Ordinal) || text.StartsWith("+OK", StringComparison.Ordinal) ? text[(text[0] == '-' ? 4 : 3)..].TrimStart() : text;
        }
    }
}

/// <summary>
/// One Event Socket connection (inbound mode). Replies come in the order of the commands; whatever can take time is a
/// background job with an id of ours, so that nothing ever stops the connection's events (wire/freeswitch, api and bgapi).
/// </summary>
internal sealed class EslSession : IWireProtocol, IKeptAlive, IAsyncDisposable
{
    private readonly EslFramer _framer = new();
    private readonly ReplyTable<Waiter> _replies = new();
    private readonly ReplyTable<Waiter> _jobs = new();
    private readonly IEslEventSink _sink;
    private readonly ILogger _log;
    private readonly string _peer;
    private readonly TimeSpan _requestTimeout;
    private readonly byte[] _jobPrefix;
    private readonly string _jobPrefixText;
    private readonly TaskCompletionSource _greeting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WireConnection? _connection;
    private KeepAlive? _alive;

    // The places of commands in their order: given on the lane, taken by the reader.
    private long _sent;
    private long _answered;
    private long _lastJob;

    private EslSession(string peer, SipServerConfiguration configuration, IEslEventSink sink, ILogger log)
    {
        _sink = sink;
        _log = log;
        _peer = peer;
        _requestTimeout = configuration.RequestTimeout;
        // 64 random bits: everybody who subscribes gets everybody's jobs.
        _jobPrefixText = $"ifb-{Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8))}-";
        _jobPrefix = Encoding.ASCII.GetBytes(_jobPrefixText);
    }

    /// <summary>Completes with the reason when the connection is gone.</summary>
    public Task<Exception> Closed => _connection!.Closed;

    /// <summary>True once the results of jobs are told; before, and for a login that is not told them, commands run in the connection itself.</summary>
    public bool HasJobs { get; set; }

    /// <summary>Connects and waits until the server asks for the password. Logging in is for the adapter.</summary>
    public static async Task<EslSession> OpenAsync(
        WireEndpoint endpoint, SipServerConfiguration configuration, IEslEventSink sink, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        Stream stream = await endpoint.OpenAsync(cancellationToken).ConfigureAwait(false);
        EslSession session = Over(stream, endpoint.ToString(), configuration, sink, log, time);
        try
        {
            await session._greeting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch (OperationCanceledException e) when (!session._greeting.Task.IsCompleted)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            // Whose time it was that ran out is for the caller to say; why, is known here.
            throw new OperationCanceledException($"{endpoint} accepts connections but does not ask for a password as an Event Socket does; a FreeSWITCH whose Event Socket hangs does the same.", e, cancellationToken);
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A session over a stream that is open already.</summary>
    internal static EslSession Over(Stream stream, string peer, SipServerConfiguration configuration, IEslEventSink sink, ILogger log, TimeProvider time)
    {
        var session = new EslSession(peer, configuration, sink, log);
        session._connection = new WireConnection(stream, session);
        session._alive = new KeepAlive(session, session._connection, peer, configuration, time);
        session._connection.Begin();
        return session;
    }

    /// <summary>Sends a command that the server answers at once.</summary>
    /// <param name="what">Its name for errors and logs; the command itself may hold a secret.</param>
    /// <param name="command">The command line.</param>
    /// <param name="cancellationToken">Stops waiting; the command may be carried out.</param>
    /// <param name="jobId">The id of the job that it starts, if it does.</param>
    /// <param name="timeout">How long; the connection's request time if null.</param>
    /// <exception cref="SipTimeoutException">No reply in time. The command may have been carried out; it is not sent again.</exception>
    /// <exception cref="SipConnectionException">The connection is gone. If the command had been sent, OutcomeUnknown is set.</exception>
    public Task<EslReply> CommandAsync(string what, string command, CancellationToken cancellationToken, string? jobId = null, TimeSpan? timeout = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckLine(command);
        if (jobId is not null) CheckLine(jobId);
        TimeSpan limit = timeout ?? _requestTimeout;
        var waiter = new Waiter(what, _peer, limit, _alive!.Now + (long)limit.TotalMilliseconds);
        // Who has many requests under way is likely to send more.
        _connection!.Send((this, waiter, command, jobId), static (writer, s) => s.Item1.Write(writer, s.waiter, s.command, s.jobId), gather: _sent - _answered > 8);
        Log.ActionSent(_log, what, waiter.Place);
        // Its reply, when it comes, is swallowed: its place in the order stays.
        waiter.CancelWith(_replies, waiter.Place, cancellationToken);
        return waiter.Task;
    }

    /// <summary>Runs an api command as a job of the server and returns its output, or, for a login that is not told of jobs, in the connection itself.</summary>
    /// <param name="command">The api command with its arguments.</param>
    /// <param name="cancellationToken">Stops waiting; the command may be carried out.</param>
    /// <param name="timeout">How long; the connection's request time if null.</param>
    /// <exception cref="SipTimeoutException">No result in time. The command may have been carried out; it is not sent again.</exception>
    /// <exception cref="SipConnectionException">The connection is gone. If the command had been sent, OutcomeUnknown is set.</exception>
    public async Task<EslReply> RunAsync(string command, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        string what = command.Split(' ', 2)[0];
        if (!HasJobs) return await CommandAsync(what, "api " + command, cancellationToken, timeout: timeout).ConfigureAwait(false);

        TimeSpan limit = timeout ?? _requestTimeout;
        long id = Interlocked.Increment(ref _lastJob);
        var job = new Waiter(what, _peer, limit, _alive!.Now + (long)limit.TotalMilliseconds);
        _jobs.Add(id, job);
        try
        {
            EslReply taken = await CommandAsync(what, "bgapi " + command, cancellationToken, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{_jobPrefixText}{id}"), timeout).ConfigureAwait(false);
            if (taken.IsError) return taken;
            job.CancelWith(_jobs, id, cancellationToken);
            return await job.Task.ConfigureAwait(false);
        }
        finally
        {
            _jobs.TryTake(id, out _);
        }
    }

    /// <summary>Ends the session: the good-bye if the server takes it quickly, then the connection.</summary>
    public async Task ExitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CommandAsync("exit", "exit", cancellationToken, timeout: TimeSpan.FromSeconds(2)).ConfigureAwait(false);
        }
        catch (SipException)
        {
            // A server that is gone or busy needs no good-bye.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_alive is not null) await _alive.DisposeAsync().ConfigureAwait(false);
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int IWireProtocol.OnReceived(ReadOnlySpan<byte> buffer)
    {
        int taken = 0;
        _sink.OnReadBegins();
        try
        {
            while (taken < buffer.Length && _framer.TryRead(buffer[taken..], out int head, out int length))
            {
                ReadOnlySpan<byte> message = buffer.Slice(taken, length);
                OnMessage(message[..head], message[head..]);
                taken += length;
            }
        }
        finally
        {
            _sink.OnReadEnds();
        }

        return taken;
    }

    void IWireProtocol.OnClosed(Exception reason)
    {
        _alive?.Stop();
        _greeting.TrySetException(reason);
        _ = _greeting.Task.Exception;
        _replies.Close(reason);
        _jobs.Close(reason);
    }

    // A command that runs in the connection itself, without a job, holds up the answer to a question too: its own time decides.
    bool IKeptAlive.CanAsk => (HasJobs || _replies.Count == 0) && _greeting.Task.IsCompletedSuccessfully;

    void IKeptAlive.FailLate(long now)
    {
        _replies.FailLate(now);
        _jobs.FailLate(now);
    }

    // HEARTBEAT comes every 20 s by itself; this is for those who want to know sooner.
    Task IKeptAlive.AskAsync(TimeSpan limit) => CommandAsync("keep-alive", "api uptime", CancellationToken.None, timeout: limit);

    // No value of a caller may become a command or a header of its own; what is refused here was let through by mistake.
    private static void CheckLine(string line)
    {
        if (line.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0) throw new SipArgumentException(null, $"The command '{line}'", "a command has one line, without line breaks and NUL.");
        if (!CallRules.IsText(line)) throw new SipArgumentException(null, $"The command '{line}'", FreeSwitchCommands.TextRule);
    }

    // On the lane, so places are given in the order of the bytes.
    private void Write(IBufferWriter<byte> writer, Waiter waiter, string command, string? jobId)
    {
        waiter.Place = _sent + 1;
        _replies.Add(waiter.Place, waiter);
        _sent++;
        Encoding.UTF8.GetBytes(command, writer);
        if (jobId is not null)
        {
            writer.Write("\nJob-UUID: "u8);
            Encoding.UTF8.GetBytes(jobId, writer);
        }

        writer.Write("\n\n"u8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void OnMessage(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> type = EslFramer.Header(head, "Content-Type: "u8);
        if (type.SequenceEqual("text/event-json"u8))
        {
            ReadOnlySpan<byte> name = EslJson.Find(body, "Event-Name"u8);
            if (!name.SequenceEqual("BACKGROUND_JOB"u8) || !TryTakeJob(body)) _sink.OnEvent(name, body);
        }
        else if (type.SequenceEqual("command/reply"u8))
        {
            Answer(Encoding.UTF8.GetString(EslFramer.Header(head, "Reply-Text: "u8)), head);
        }
        else if (type.SequenceEqual("api/response"u8))
        {
            Answer(Encoding.UTF8.GetString(body), head);
        }
        else if (type.SequenceEqual("auth/request"u8))
        {
            _greeting.TrySetResult();
        }
        else if (type.SequenceEqual("text/rude-rejection"u8))
        {
            throw new SipAuthenticationException($"{_peer} refuses this machine's address: {Said(body)}", errorId: "SipAddressRefused")
            {
                RecommendedAction = "Let the address in: event_socket.conf, apply-inbound-acl, and the list of that name in acl.conf.",
            };
        }
        else if (type.SequenceEqual("text/disconnect-notice"u8))
        {
            throw new SipConnectionException($"The server ends the connection: {Said(body)}", errorId: "SipConnectionLost");
        }
    }

    private static string Said(ReadOnlySpan<byte> body) => SipText.Printable(Encoding.UTF8.GetString(body).Split('\n')[0].Trim());

    private void Answer(string text, ReadOnlySpan<byte> head)
    {
        long place = ++_answered;
        if (_replies.TryTake(place, out Waiter? waiter)) waiter.Complete(new EslReply(text, Encoding.UTF8.GetString(head)), _connection!.Answered);
        else if (place > Volatile.Read(ref _sent)) throw new SipProtocolException("The server sent a reply to a command that was never sent.");
        else Log.LateReply(_log, place);
    }

    // A result of ours that nobody waits for any more is taken too.
    private bool TryTakeJob(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> id = EslJson.Find(json, "Job-UUID"u8);
        if (!id.StartsWith(_jobPrefix) || !Utf8Parser.TryParse(id[_jobPrefix.Length..], out long number, out int digits) || digits != id.Length - _jobPrefix.Length) return false;
        if (_jobs.TryTake(number, out Waiter? waiter)) waiter.Complete(new EslReply(EslJson.Text(json, "_body"u8) ?? "", ""), _connection!.Answered);
        return true;
    }

    private sealed class Waiter(string what, string peer, TimeSpan limit, long deadline) : ReplyWaiter<EslReply>(what, peer, limit, deadline)
    {
        public long Place { get; set; }
    }
}
