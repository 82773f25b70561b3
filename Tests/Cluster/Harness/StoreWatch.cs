using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Reads a running broker's database from outside.</summary>
internal sealed class StoreWatch : IAsyncDisposable
{
    private readonly SqliteConnection connection;

    public StoreWatch(string path)
    {
        connection = new SqliteConnection($"Data Source={path};Pooling=False;Mode=ReadOnly");
        connection.Open();
    }

    /// <summary>Changes the database of a broker that is not running.</summary>
    public static void Change(string path, string sql)
    {
        using var writing = new SqliteConnection($"Data Source={path};Pooling=False");
        writing.Open();
        using var command = writing.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>The first value of a query as text; null if there is none.</summary>
    public string? Query(string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until a query gives a value.</summary>
    public async Task WaitForAsync(string sql, string expected, TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        while (Query(sql) is var found && found != expected)
        {
            if (clock.Elapsed > limit) Assert.Fail($"'{sql}' is '{found}' and not '{expected}' after {limit}");
            await Task.Delay(50);
        }
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
