namespace IfBus.Sip.Adapters.Yate;

/// <summary>A row of a module's status: a channel, mostly.</summary>
internal sealed class YateStatusRow
{
    private readonly string[] _format;
    private readonly string[] _values;

    private YateStatusRow(string id, string[] values, string[] format)
    {
        Id = id;
        _values = values;
        _format = format;
    }

    /// <summary>What it is about.</summary>
    public string Id { get; }

    /// <summary>A column by the name that the module gives it; null if it is empty or not there.</summary>
    public string? this[string column]
    {
        get
        {
            int at = Array.IndexOf(_format, column);
            return at >= 0 && at < _values.Length && _values[at].Length > 0 ? YateStatus.Unescape(_values[at]) : null;
        }
    }

    /// <summary>One row; null if it is none.</summary>
    public static YateStatusRow? Parse(string row, string[] format)
    {
        int at = row.IndexOf('=', StringComparison.Ordinal);
        return at <= 0 ? null : new YateStatusRow(YateStatus.Unescape(row[..at]), row[(at + 1)..].Split('|'), format);
    }
}
