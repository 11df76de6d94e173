namespace IfBus.Sip.Tests.Support;

/// <summary>Gives bytes in pieces, and then the end. What is written to it goes nowhere.</summary>
/// <param name="bytes">All of them.</param>
/// <param name="ends">Where the pieces end; the last is the end of the bytes.</param>
internal sealed class CutStream(byte[] bytes, List<int> ends) : Stream
{
    private int _at;
    private int _next;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at == bytes.Length) return new(0);
        int count = Math.Min(ends[_next] - _at, buffer.Length);
        bytes.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        if (_at == ends[_next]) _next++;
        return new(count);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
