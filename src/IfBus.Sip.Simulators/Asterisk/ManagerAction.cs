namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>One action as the server reads it: names without regard to case, the first of a repeated header counts, blanks after the colon are left out, lines without a colon are ignored.</summary>
internal sealed class ManagerAction
{
    private readonly List<KeyValuePair<string, string>> _headers = [];

    public ManagerAction(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0) _headers.Add(new(line[..colon], line[(colon + 1)..].TrimStart(' ')));
        }
    }

    /// <summary>The action's name; empty if it has none.</summary>
    public string Name => this["Action"];

    /// <summary>The ActionID to echo, or null.</summary>
    public string? Id => this["ActionID"] is { Length: > 0 } id ? id : null;

    /// <summary>The echo as a header, or nothing.</summary>
    public string IdHeader => Id is null ? "" : $"ActionID: {Id}\r\n";

    /// <summary>A header's first value; empty if there is none.</summary>
    public string this[string name] => _headers.Find(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";

    public bool Has(string name) => _headers.Exists(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase));

    public bool Is(string action) => Name.Equals(action, StringComparison.OrdinalIgnoreCase);

    /// <summary>All values of a header.</summary>
    public IEnumerable<string> All(string name) => _headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value);

    /// <summary>All headers.</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers => _headers;
}
