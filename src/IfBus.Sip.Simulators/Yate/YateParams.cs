using System.Collections;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>Named values in the order they came. A name that is added, not set, may be there twice (call.route has two of address).</summary>
internal class YateParams : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _items = [];

    public int Count => _items.Count;

    /// <summary>The first value of a name, or null.</summary>
    public string? this[string name]
    {
        get
        {
            int at = Find(name);
            return at < 0 ? null : _items[at].Value;
        }
    }

    public bool Has(string name) => Find(name) >= 0;

    /// <summary>Replaces a value where it stands, or adds it.</summary>
    public YateParams Set(string name, string? value)
    {
        int at = Find(name);
        var item = new KeyValuePair<string, string>(name, value ?? "");
        if (at < 0) _items.Add(item);
        else _items[at] = item;
        return this;
    }

    public YateParams Set(string name, bool value) => Set(name, YateText.Word(value));

    public YateParams Add(string name, string? value)
    {
        _items.Add(new(name, value ?? ""));
        return this;
    }

    public YateParams Clear(string name)
    {
        _items.RemoveAll(i => i.Key == name);
        return this;
    }

    public void Clear() => _items.Clear();

    /// <summary>Copies the values of these names as far as they are there.</summary>
    public void Copy(YateParams from, params string[] names)
    {
        foreach (string name in names)
        {
            if (from[name] is { } value) Set(name, value);
        }
    }

    /// <summary>Copies all.</summary>
    public void Copy(YateParams from)
    {
        foreach (KeyValuePair<string, string> item in from) Set(item.Key, item.Value);
    }

    public bool Bool(string name, bool otherwise = false) => YateText.Boolean(this[name]) ?? otherwise;

    public int Int(string name, int otherwise) => YateText.Number(this[name]) ?? otherwise;

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int Find(string name)
    {
        for (int i = 0; i < _items.Count; i++)
        {
            if (_items[i].Key.Length == name.Length && _items[i].Key == name) return i;
        }

        return -1;
    }
}
