using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Tests;

/// <summary>The life of a connection, whatever the server: who opens it while somebody leaves, and what ends its watch.</summary>
public sealed class SupervisionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_session_that_opens_while_its_adapter_is_left_is_closed()
    {
        var adapter = new FakeAdapter();
        TaskCompletionSource<FakeSession> opening = adapter.OpensLater();
        Task connecting = adapter.ConnectAsync(default);
        await adapter.Opening.WaitAsync(Limit);
        Task leaving = adapter.DisconnectAsync(default);
        var session = new FakeSession();
        opening.SetResult(session);

        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => connecting.WaitAsync(Limit));
        Assert.Equal(("SipDisconnected", "fake"), (error.ErrorId, error.Server));
        await leaving.WaitAsync(Limit);
        Assert.True(session.IsClosed);
        Assert.Equal((ConnectionState.Disconnected, SipCapabilities.None), (adapter.Server.State, adapter.Capabilities));
    }

    [Fact]
    public async Task A_session_that_comes_back_while_its_adapter_is_left_is_closed()
    {
        var adapter = new FakeAdapter();
        FakeSession first = await ConnectAsync(adapter);
        TaskCompletionSource<FakeSession> opening = adapter.OpensLater();
        first.Lose(new SipConnectionException("gone"));
        await adapter.Opening.WaitAsync(Limit);

        Task leaving = adapter.DisconnectAsync(default);
        var second = new FakeSession();
        opening.SetResult(second);
        await leaving.WaitAsync(Limit);
        Assert.True(second.IsClosed);
        Assert.Equal(ConnectionState.Disconnected, adapter.Server.State);
    }

    [Fact]
    public async Task Leaving_ends_an_attempt_to_connect()
    {
        var adapter = new FakeAdapter { Heeds = true };
        adapter.OpensLater();
        Task connecting = adapter.ConnectAsync(default);
        await adapter.Opening.WaitAsync(Limit);
        await adapter.DisconnectAsync(default).WaitAsync(Limit);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => connecting.WaitAsync(Limit));
        Assert.Equal("SipDisconnected", error.ErrorId);
    }

    [Fact]
    public async Task Leaving_does_not_wait_for_an_attempt_that_hangs()
    {
        var adapter = new FakeAdapter();
        FakeSession first = await ConnectAsync(adapter);
        TaskCompletionSource<FakeSession> opening = adapter.OpensLater();
        first.Lose(new SipConnectionException("gone"));
        await adapter.Opening.WaitAsync(Limit);
        await adapter.DisposeAsync().AsTask().WaitAsync(Limit);
        Assert.Equal(ConnectionState.Disconnected, adapter.Server.State);

        // It comes to its end all the same, and leaves nothing open.
        var late = new FakeSession();
        opening.SetResult(late);
        await Until.TrueAsync(() => late.IsClosed);
    }

    [Fact]
    public async Task A_cancellation_that_is_nobodys_is_a_failed_attempt_and_tried_again()
    {
        await using var adapter = new FakeAdapter();
        FakeSession first = await ConnectAsync(adapter);
        adapter.OpensLater().SetException(new OperationCanceledException("of a timer within"));
        adapter.OpensLater().SetResult(new FakeSession());
        first.Lose(new SipConnectionException("gone"));
        await Until.TrueAsync(() => adapter.Server is { State: ConnectionState.Connected, Reconnects: 1 });
    }

    [Fact]
    public async Task An_error_of_our_own_in_the_watch_is_told()
    {
        await using var adapter = new FakeAdapter();
        FakeSession first = await ConnectAsync(adapter);
        first.Break(new InvalidOperationException("our own"));
        await Until.TrueAsync(() => adapter.Server.State == ConnectionState.Failed);
        Assert.Contains("our own", adapter.Server.LastError, StringComparison.Ordinal);
    }

    private static async Task<FakeSession> ConnectAsync(FakeAdapter adapter)
    {
        var session = new FakeSession();
        adapter.OpensLater().SetResult(session);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        return session;
    }

    private sealed class FakeSession : ISipSession
    {
        private readonly TaskCompletionSource<Exception> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsClosed { get; private set; }

        public Task<Exception> Closed => _closed.Task;

        public string Version => "Fake 1";

        public DateTime? StartedAt => null;

        public SipCapabilities Capabilities => SipCapabilities.MakeCall;

        public void Lose(Exception reason) => _closed.TrySetResult(reason);

        public void Break(Exception error) => _closed.TrySetException(error);

        public Task CloseAsync(CancellationToken cancellationToken)
        {
            IsClosed = true;
            Lose(new SipConnectionException("closed by us"));
            return Task.CompletedTask;
        }
    }

    private sealed class FakeAdapter() : SipAdapterBase<FakeSession>(
        new SipServerConfiguration
        {
            Name = "fake",
            Host = "127.0.0.1",
            Credential = new NetworkCredential("u", "s"),
            Reconnect = new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(5) },
        },
        SipServerType.Asterisk, 1, NullLogger.Instance, TimeProvider.System)
    {
        private readonly Queue<TaskCompletionSource<FakeSession>> _next = new();
        private TaskCompletionSource _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when the session that is given last is waited for.</summary>
        public Task Opening => _opening.Task;

        /// <summary>True: opening ends when it is cancelled. False: it is over all steps that look.</summary>
        public bool Heeds { get; init; }

        public TaskCompletionSource<FakeSession> OpensLater()
        {
            var opens = new TaskCompletionSource<FakeSession>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_next)
            {
                _opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _next.Enqueue(opens);
            }

            return opens;
        }

        protected override Task<FakeSession> OpenAsync(CancellationToken cancellationToken)
        {
            lock (_next)
            {
                TaskCompletionSource<FakeSession> next = _next.Dequeue();
                if (_next.Count == 0) _opening.TrySetResult();
                return Heeds ? next.Task.WaitAsync(cancellationToken) : next.Task;
            }
        }

        protected override Task<SipCall> HangUpAsync(FakeSession session, string callId, HangupCause cause, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<IReadOnlyList<SipCall>> GetCallsAsync(FakeSession session, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(FakeSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<SipCommandResult> InvokeCommandAsync(FakeSession session, SipCommandRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<SipServerHealth> MeasureAsync(FakeSession session, SipServerHealth health, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<SipCall> MakeCallAsync(FakeSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override void CheckCall(FakeSession session, SipCallRequest request)
        {
        }

        protected override SipNotSupportedException NotSupported(FakeSession session, SipCapabilities needed) => throw new NotSupportedException();
    }
}
