using System.Text;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>
/// Actions as the server reads them (wire/asterisk, section 1): LF alone ends a line, a CR before it is left out, NUL cuts
/// the line, blanks after the colon are skipped, an empty line ends the action, and over 1022 bytes a line or 128 lines is an
/// error. Bytes may come in pieces.
/// </summary>
internal sealed class ManagerActions
{
    private readonly List<byte> _line = [];
    private List<(string Name, string Value)> _current = [];
    private int _lines;

    /// <summary>Told each action when it is whole. What is an error to the server is an action of one header, Error.</summary>
    public required Action<List<(string Name, string Value)>> OnAction { get; init; }

    /// <summary>All actions of bytes that are a whole number of them.</summary>
    public static List<List<(string Name, string Value)>> All(ReadOnlySpan<byte> bytes)
    {
        var actions = new List<List<(string, string)>>();
        var reader = new ManagerActions { OnAction = actions.Add };
        reader.Add(bytes);
        Assert.Empty(reader._line);
        Assert.Empty(reader._current);
        return actions;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            if (b == '\n') EndLine();
            else _line.Add(b);
        }
    }

    private void EndLine()
    {
        byte[] line = [.. _line];
        _line.Clear();
        if (line is [.., (byte)'\r']) line = line[..^1];
        if (line.Length > 1022)
        {
            _current.Insert(0, ("Error", "line too long"));
            return;
        }

        if (line.Length == 0)
        {
            OnAction(_current.Count == 0 ? [("Error", "Missing action in request")] : _lines > 128 ? [("Error", "Too many lines")] : _current);
            (_current, _lines) = ([], 0);
            return;
        }

        _lines++;
        string text = Encoding.UTF8.GetString(Array.IndexOf(line, (byte)0) is >= 0 and int nul ? line[..nul] : line);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return;
        int value = colon + 1;
        while (value < text.Length && text[value] <= ' ') value++;
        _current.Add((text[..colon], text[value..]));
    }
}
