using System.Buffers;
using System.Text.Json;

namespace IfBus.Sip.Adapters.Http;

/// <summary>
/// Reads a reply of JSON-RPC from its stream and hands out the items of a list in its result one by one: never more than
/// one item is in memory, whatever the size of the reply.
/// </summary>
/// <typeparam name="T">What an item becomes.</typeparam>
internal sealed class RpcListReader<T>(IReadOnlyList<string> path, Func<JsonElement, T?> item)
    where T : class
{
    private const int FirstBuffer = 32 * 1024;
    private const int LargestItem = 16 * 1024 * 1024;

    private readonly List<T> _items = [];
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = 64 });
    private string? _member;
    private int _depth;
    private int _found;
    private bool _inList;

    /// <summary>The items; they count only if the reply was right as a whole.</summary>
    public List<T> Items => _items;

    /// <summary>True if the list was there.</summary>
    public bool Found { get; private set; }

    /// <summary>The id member.</summary>
    public JsonElement? Id { get; private set; }

    /// <summary>The error member.</summary>
    public JsonElement? Error { get; private set; }

    /// <summary>The result where it is something else than a list.</summary>
    public JsonElement? Other { get; private set; }

    /// <summary>Reads to the end.</summary>
    /// <exception cref="JsonException">No JSON, or cut off.</exception>
    public async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        int filled = 0;
        try
        {
            while (true)
            {
                int count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
                filled += count;
                int taken = Take(buffer.AsSpan(0, filled), last: count == 0);
                if (count == 0) return;
                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
                if (filled < buffer.Length) continue;
                if (buffer.Length >= LargestItem) throw new JsonException($"One item is larger than {LargestItem} bytes.");
                byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, filled).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Takes whole tokens, and whole values of what is wanted; what is cut off waits for more.
    private int Take(ReadOnlySpan<byte> bytes, bool last)
    {
        var reader = new Utf8JsonReader(bytes, last, _state);
        long taken = 0;
        while (true)
        {
            Utf8JsonReader before = reader;
            if (!reader.Read()) break;
            if (!Step(ref reader))
            {
                // The value is not here as a whole: its first token is read again then.
                reader = before;
                break;
            }

            taken = reader.BytesConsumed;
        }

        _state = reader.CurrentState;
        return (int)Math.Max(taken, reader.BytesConsumed);
    }

    private bool Step(ref Utf8JsonReader reader)
    {
        if (_inList)
        {
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                _inList = false;
                return true;
            }

            Utf8JsonReader ahead = reader;
            if (!ahead.TrySkip()) return false;
            // Its memory is used again for the next item: what is made of one holds nothing of it.
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (item(document.RootElement) is { } made) _items.Add(made);
            return true;
        }

        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                _member = reader.GetString();
                return true;
            case JsonTokenType.StartObject when _depth == 0:
                _depth = 1;
                return true;
            case JsonTokenType.EndObject:
                _depth--;
                return true;
        }

        bool onPath = _depth == _found + 1 && _member == (_found == 0 ? "result" : path[_found - 1]);
        if (onPath && _found == path.Count && reader.TokenType == JsonTokenType.StartArray)
        {
            Found = _inList = true;
            return true;
        }

        if (onPath && _found < path.Count && reader.TokenType == JsonTokenType.StartObject)
        {
            _found++;
            _depth++;
            return true;
        }

        if (!TryValue(ref reader, out JsonElement value)) return false;
        if (_depth == 1 && _member == "id") Id = value;
        else if (_depth == 1 && _member == "error") Error = value;
        else if (_depth == 1 && _member == "result") Other = value;
        else if (_depth == 0) throw new JsonException("The reply is no object.");
        return true;
    }

    private static bool TryValue(ref Utf8JsonReader reader, out JsonElement value)
    {
        Utf8JsonReader ahead = reader;
        if (!ahead.TrySkip())
        {
            value = default;
            return false;
        }

        value = JsonElement.ParseValue(ref reader);
        return true;
    }
}
