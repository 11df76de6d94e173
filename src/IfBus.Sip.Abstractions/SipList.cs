using System.Collections.ObjectModel;

namespace IfBus.Sip;

/// <summary>Makes lists that read as their items.</summary>
public static class SipList
{
    /// <summary>Wraps a list. What the caller has given away is not copied.</summary>
    public static SipList<T> Of<T>(IReadOnlyList<T> items) => SipList<T>.Of(items);
}

/// <summary>A list that reads as its items, where a cell of a table or of a CSV file has its text. Cannot be changed.</summary>
/// <typeparam name="T">What it lists.</typeparam>
public sealed class SipList<T> : ReadOnlyCollection<T>
{
    private SipList(IList<T> items)
        : base(items)
    {
    }

    /// <summary>No items.</summary>
    internal static new SipList<T> Empty { get; } = new([]);

    /// <summary>Wraps a list. What the caller has given away is not copied.</summary>
    internal static SipList<T> Of(IReadOnlyList<T> items) => items switch
    {
        SipList<T> list => list,
        null or { Count: 0 } => Empty,
        IList<T> list => new SipList<T>(list),
        _ => new SipList<T>([.. items]),
    };

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", this);
}

/// <summary>Names with values that read as <c>name=value; name=value</c>, where a cell of a table or of a CSV file has its text. Cannot be changed.</summary>
public sealed class SipTable : ReadOnlyDictionary<string, string>
{
    private SipTable(IDictionary<string, string> entries)
        : base(entries)
    {
    }

    /// <summary>No entries.</summary>
    public static new SipTable Empty { get; } = new(new Dictionary<string, string>());

    /// <summary>Wraps a table. What the caller has given away is not copied.</summary>
    public static SipTable Of(IReadOnlyDictionary<string, string> entries) => entries switch
    {
        SipTable table => table,
        null or { Count: 0 } => Empty,
        IDictionary<string, string> table => new SipTable(table),
        _ => new SipTable(new Dictionary<string, string>(entries)),
    };

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", this.Select(e => e.Key + "=" + e.Value));
}
