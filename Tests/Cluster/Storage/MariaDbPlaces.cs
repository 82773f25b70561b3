using System.Globalization;
using Broker.Grains.Storage;
using Broker.Grains.Storage.MySql;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Unit.Grains.Storage;
using MySqlConnector;

namespace Broker.Tests.Cluster.Storage;

/// <summary>Databases of the shared server.</summary>
internal sealed class MariaDbPlaces : StorePlaces
{
    public override Task<string> NewAsync() => SharedMariaDb.CreateDatabaseAsync();

    public override IStoreDatabase Database(string place, string node, TimeProvider clock) =>
        new MySqlDatabase(new MySqlOptions(place), node, TestStore.Codec(), clock);

    public override long Count(string place, string table) => Number(place, $"SELECT COUNT(*) FROM {table}");

    /// <summary>The first value of a query.</summary>
    public static long Number(string place, string sql)
    {
        using MySqlConnection connection = new(place);
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
