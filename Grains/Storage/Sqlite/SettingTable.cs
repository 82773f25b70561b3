namespace Broker.Grains.Storage.Sqlite;

/// <summary>Named values of the whole cluster. Writer thread.</summary>
internal sealed class SettingTable(SqliteLink link)
{
    private readonly SqliteStatement insert = link.Prepare("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)");
    private readonly SqliteStatement save = link.Prepare("INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2");
    private readonly SqliteStatement select = link.Prepare("SELECT value FROM setting WHERE name = ?1");

    public string GetOrCreate(string name, string value)
    {
        insert.Bind(1, name).Bind(2, value).Run();
        return Get(name) ?? value;
    }

    public string? Get(string name)
    {
        if (!select.Bind(1, name).Read()) return null;
        var value = select.Text(0);
        select.Reset();
        return value;
    }

    public void Save(string name, string value) => save.Bind(1, name).Bind(2, value).Run();
}
