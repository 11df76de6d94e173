using System.Diagnostics.CodeAnalysis;

namespace IfBus.Sip.Adapters;

/// <summary>
/// A dictionary whose keys are looked up as the bytes that came from the wire: no string is made for an event of a leg
/// that is known. Hashes are seeded per process, so a peer cannot choose keys that collide. Not thread-safe.
/// </summary>
internal sealed class Utf8Table<TValue>
{
    private int[] _buckets = new int[64];
    private Entry[] _entries = new Entry[64];
    private int _used;
    private int _free = -1;

    /// <summary>How many entries.</summary>
    public int Count { get; private set; }

    /// <summary>Finds the value of a key.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, [MaybeNullWhen(false)] out TValue value)
    {
        int index = Find(key, Hash(key));
        value = index < 0 ? default : _entries[index].Value;
        return index >= 0;
    }

    /// <summary>Adds or replaces.</summary>
    public void Set(byte[] key, TValue value)
    {
        int hash = Hash(key);
        int index = Find(key, hash);
        if (index >= 0)
        {
            _entries[index].Value = value;
            return;
        }

        if (_free >= 0)
        {
            index = _free;
            _free = _entries[index].Next;
        }
        else
        {
            if (_used == _entries.Length) Grow();
            index = _used++;
        }

        ref int bucket = ref _buckets[hash & (_buckets.Length - 1)];
        _entries[index] = new Entry { Key = key, Hash = hash, Next = bucket - 1, Value = value };
        bucket = index + 1;
        Count++;
    }

    /// <summary>Removes a key.</summary>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        int hash = Hash(key);
        ref int link = ref _buckets[hash & (_buckets.Length - 1)];
        int previous = -1;
        for (int index = link - 1; index >= 0; previous = index, index = _entries[index].Next)
        {
            if (_entries[index].Hash != hash || !key.SequenceEqual(_entries[index].Key)) continue;
            int next = _entries[index].Next;
            if (previous < 0) link = next + 1;
            else _entries[previous].Next = next;
            _entries[index] = new Entry { Next = _free };
            _free = index;
            Count--;
            return true;
        }

        return false;
    }

    private static int Hash(ReadOnlySpan<byte> key)
    {
        var hash = default(HashCode);
        hash.AddBytes(key);
        return hash.ToHashCode();
    }

    private int Find(ReadOnlySpan<byte> key, int hash)
    {
        for (int index = _buckets[hash & (_buckets.Length - 1)] - 1; index >= 0; index = _entries[index].Next)
        {
            if (_entries[index].Hash == hash && key.SequenceEqual(_entries[index].Key)) return index;
        }

        return -1;
    }

    private void Grow()
    {
        Array.Resize(ref _entries, _entries.Length * 2);
        _buckets = new int[_entries.Length];
        for (int index = 0; index < _used; index++)
        {
            ref int bucket = ref _buckets[_entries[index].Hash & (_buckets.Length - 1)];
            _entries[index].Next = bucket - 1;
            bucket = index + 1;
        }
    }

    private struct Entry
    {
        public byte[] Key;
        public int Hash;
        public int Next;
        public TValue Value;
    }
}
