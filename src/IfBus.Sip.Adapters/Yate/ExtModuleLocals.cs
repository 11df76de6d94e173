using System.Text;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// Local commands (setlocal, install, watch, ...) that wait. They have no ids; an answer repeats the command and what it
/// was about, and the oldest that asked just that gets it. So a line that the engine did not take, an answer that came
/// twice and one that nobody waits for any more put no other off its place.
/// </summary>
internal sealed class ExtModuleLocals : IReplyTable
{
    private readonly object _gate = new();
    private readonly List<(byte[] Line, byte[] Keyword, byte[] About, ReplyWaiter<ExtModuleAnswer> Waiter, long Id)> _waiting = [];
    private Exception? _closed;
    private long _lastId;

    /// <summary>Adds a command, and returns its number here. Fails with the reason if the connection is gone.</summary>
    public long Add(string keyword, string arguments, ReplyWaiter<ExtModuleAnswer> waiter)
    {
        // setlocal answers KEY:VALUE, watch NAME, install PRIO:NAME without the filter (wire/yate, commands; Yate 6.4.1).
        string[] parts = arguments.Split(':');
        string about = keyword switch
        {
            "setlocal" => parts[0] + ":",
            "install" when parts.Length > 1 => parts[0] + ":" + parts[1],
            _ => arguments,
        };
        lock (_gate)
        {
            if (_closed is not null) throw ConnectionEnd.TooLate(_closed);
            _waiting.Add((Encoding.UTF8.GetBytes($"%%>{keyword}:{arguments}"), Encoding.UTF8.GetBytes(keyword), Encoding.UTF8.GetBytes(about), waiter, ++_lastId));
            return _lastId;
        }
    }

    /// <summary>Takes out who waits for this answer; null if nobody does.</summary>
    public ReplyWaiter<ExtModuleAnswer>? Take(in YateLine answer)
    {
        lock (_gate)
        {
            for (int i = 0; i < _waiting.Count; i++)
            {
                if (!answer.Id.SequenceEqual(_waiting[i].Keyword)) continue;
                ReadOnlySpan<byte> about = _waiting[i].About;
                if (about.Length > 0 && about[^1] == (byte)':' ? answer.Value.StartsWith(about) : answer.Value.SequenceEqual(about)) return RemoveAt(i);
            }
        }

        return null;
    }

    /// <summary>Takes out who sent a line that the engine did not take; null if nobody did.</summary>
    public ReplyWaiter<ExtModuleAnswer>? TakeLine(ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            for (int i = 0; i < _waiting.Count; i++)
            {
                if (line.SequenceEqual(_waiting[i].Line)) return RemoveAt(i);
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public bool Forget(long id)
    {
        lock (_gate) return _waiting.RemoveAll(w => w.Id == id) > 0;
    }

    /// <summary>Fails those whose time is over.</summary>
    public void FailLate(long now)
    {
        lock (_gate)
        {
            for (int i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_waiting[i].Waiter.Deadline <= now) RemoveAt(i).FailLate();
            }
        }
    }

    /// <summary>Fails all, and all that come later.</summary>
    public void Close(Exception reason)
    {
        ReplyWaiter<ExtModuleAnswer>[] waiters;
        lock (_gate)
        {
            _closed ??= reason;
            waiters = [.. _waiting.Select(w => w.Waiter)];
            _waiting.Clear();
        }

        foreach (ReplyWaiter<ExtModuleAnswer> waiter in waiters) waiter.Fail(reason);
    }

    private ReplyWaiter<ExtModuleAnswer> RemoveAt(int index)
    {
        ReplyWaiter<ExtModuleAnswer> waiter = _waiting[index].Waiter;
        _waiting.RemoveAt(index);
        return waiter;
    }
}
